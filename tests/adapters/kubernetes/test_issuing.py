"""Certificates as they are made and read."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sluice.adapters.kubernetes.issuing import (
    Pair,
    is_issued_by,
    key_pem_of,
    names_of,
    new_authority,
    new_serving,
    pem_of,
    read_certificates,
    read_pair,
    validity_of,
)
from sluice.domain.certificates import authority_validity, serving_validity

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority() -> Pair:
    return new_authority(authority_validity(NOW))


@pytest.fixture(scope="module")
def serving(authority: Pair) -> Pair:
    return new_serving(authority, ["a.example.com", "b"], serving_validity(validity_of(authority.certificate), NOW))


def pem(key: object) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())  # type: ignore[attr-defined]


def test_an_authority_signs_servers_and_no_other_authorities(authority: Pair) -> None:
    extensions = authority.certificate.extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)
    assert validity_of(authority.certificate) == authority_validity(NOW)


def test_a_serving_certificate_is_for_its_names_and_for_serving(authority: Pair, serving: Pair) -> None:
    extensions = serving.certificate.extensions
    assert names_of(serving.certificate) == {"a.example.com", "b"}
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert extensions.get_extension_for_class(x509.ExtendedKeyUsage).value == x509.ExtendedKeyUsage(
        [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    )
    assert is_issued_by(serving.certificate, authority.certificate)
    assert isinstance(serving.key.curve, ec.SECP256R1)


def test_an_authority_of_the_same_name_is_not_mistaken_for_the_issuer(serving: Pair) -> None:
    assert not is_issued_by(serving.certificate, new_authority(authority_validity(NOW)).certificate)


def test_two_authorities_have_different_names(authority: Pair) -> None:
    later = new_authority(authority_validity(NOW + dt.timedelta(seconds=1)))
    assert later.certificate.subject != authority.certificate.subject


def test_what_is_written_is_read_back(authority: Pair, serving: Pair) -> None:
    written = pem_of(serving.certificate, authority.certificate)
    assert read_certificates(written) == (serving.certificate, authority.certificate)
    assert key_pem_of(read_pair(serving.certificate, key_pem_of(serving))) == key_pem_of(serving)


@pytest.mark.parametrize("written", [b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_certificates_that_can_not_be_read_are_refused(written: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate, or none that can be read"):
        read_certificates(written)


def test_keys_that_can_not_be_read_are_refused(serving: Pair) -> None:
    locked = serving.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    for written in (b"", b"no PEM", locked):
        with pytest.raises(ValueError, match="no key, or none that can be read"):
            read_pair(serving.certificate, written)


def test_keys_of_others_are_refused(authority: Pair, serving: Pair) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        read_pair(serving.certificate, key_pem_of(authority))
    with pytest.raises(ValueError, match="none for ECDSA"):
        read_pair(serving.certificate, pem(rsa.generate_private_key(65537, 2048)))


def test_a_certificate_without_names_is_for_none(authority: Pair) -> None:
    assert names_of(authority.certificate) == frozenset()
