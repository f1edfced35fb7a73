"""From a Secret to credentials that connect, or to a word about what is wrong."""

from __future__ import annotations

import base64
import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from sluice.adapters.kubernetes.issuing import key_pem_of, new_authority, pem_of
from sluice.adapters.kubernetes.launching.kubeconfigs import InlineCredentials, read_kubeconfig
from sluice.adapters.kubernetes.launching.reach import FarTransport
from sluice.adapters.kubernetes.transport import Limits
from sluice.domain.certificates import Validity
from sluice.domain.launching.kubeconfig import Kubeconfig, Unusable
from sluice.ports.errors import Forbidden, Unavailable
from tests.adapters.kubernetes.elsewhere.secrets import kubeconfig, secret
from tests.adapters.kubernetes.scripted import Answer, refused, scripted
from tests.runner.authority import NAME as SERVER_NAME
from tests.runner.authority import vouch

BEGAN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PAIR = new_authority(Validity(BEGAN, BEGAN + dt.timedelta(days=36500)))
CERTIFICATE = pem_of(PAIR.certificate).decode()
KEY = key_pem_of(PAIR).decode()
LOCKED = PAIR.key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
).decode()


def test_a_secret_holds_a_kubeconfig() -> None:
    assert read_kubeconfig(secret(kubeconfig()), "") == Kubeconfig("https://127.0.0.1:1", token="secret")


def test_what_looks_like_a_number_is_text() -> None:
    text = "current-context: 7\ncontexts: [{name: 7, context: {cluster: 1, user: 2}}]\n"
    text += "clusters: [{name: 1, cluster: {server: 'https://x'}}]\nusers: [{name: 2, user: {token: 2026-01-01}}]\n"
    assert read_kubeconfig(secret(text), "").token == "2026-01-01"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no key kubeconfig"),
        (b"\xff\xfe\xff", "is no text"),
        ("a: [", "is no YAML"),
        ("a: &x b\nc: *x", "has an alias in it"),
        ("[" * 100 + "]" * 100, "nests too deep"),
        ("[" * 30_000, "is no YAML|nests too deep"),
        ("a: b\n" * 20_000, "has more than 64 KiB"),
        ("\x07", "is no YAML"),
        ("hello", "is no kubeconfig"),
    ],
)
def test_what_is_no_kubeconfig_is_told(content: str | bytes, message: str) -> None:
    with pytest.raises(Unusable, match=message):
        read_kubeconfig(secret(content), "")


def test_a_secret_without_data_says_what_is_missing() -> None:
    with pytest.raises(Unusable, match="has no key kubeconfig; put the kubeconfig there"):
        read_kubeconfig({"metadata": {}}, "")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Kubeconfig("https://x", authority="-----BEGIN CERTIFICATE-----\nAAAA\n"), "certificate-authority-data"),
        (Kubeconfig("https://x", certificate=CERTIFICATE, key="-----BEGIN x"), "client-certificate-data"),
        (Kubeconfig("https://x", certificate="-----BEGIN x", key=KEY), "client-certificate-data"),
        (Kubeconfig("https://x", certificate=CERTIFICATE, key=LOCKED), "client-certificate-data"),
    ],
)
def test_certificates_that_are_none_are_named_and_nobody_is_asked_for_a_password(given: Kubeconfig, field: str) -> None:
    with pytest.raises(Unusable) as caught:
        InlineCredentials(given)
    assert caught.value.field == field


def test_a_certificate_with_its_key_is_loaded() -> None:
    tls = InlineCredentials(Kubeconfig("https://x", certificate=CERTIFICATE, key=KEY)).server().tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_only_a_server_that_the_authority_vouches_for_gets_the_token(tmp_path: Path) -> None:
    ours, others = vouch(tmp_path), vouch(tmp_path, name="other")
    with scripted(Answer(body={}), tls=ours.context) as server:
        for authority, name in ((others.authority, SERVER_NAME), (ours.authority, ""), (ours.authority, "wrong")):
            given = Kubeconfig(server.url, tls_name=name, authority=authority, token="secret")
            with pytest.raises(Unavailable, match="no trusted connection"):
                FarTransport(InlineCredentials(given)).send("GET", "/version")
        assert server.asked == []

        given = Kubeconfig(server.url, tls_name=SERVER_NAME, authority=ours.authority, token="secret")
        FarTransport(InlineCredentials(given)).send("GET", "/version")
        assert server.asked[0].headers["authorization"] == "Bearer secret"


def test_a_token_that_is_refused_makes_the_secret_be_looked_at() -> None:
    looked: list[str] = []
    with scripted(refused(401, "Unauthorized")) as server:
        given = Kubeconfig(server.url, token="old")
        credentials = InlineCredentials(given, refused=lambda: looked.append("now"))
        transport = FarTransport(credentials, Limits(attempts=2))
        with pytest.raises(Forbidden):
            transport.send("GET", "/version")
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer old"] * 2
        transport.close()
    assert looked == ["now"]


def test_a_proxy_is_asked_for_a_tunnel_and_sees_no_token() -> None:
    with scripted(Answer(407)) as proxy:
        given = Kubeconfig("https://far.example.com:6443", proxy=proxy.url, token="secret")
        with pytest.raises(Unavailable):
            FarTransport(InlineCredentials(given)).send("GET", "/version")
        assert [(asked.method, "authorization" in asked.headers) for asked in proxy.asked] == [("CONNECT", False)]


def test_the_encoded_text_is_not_shown() -> None:
    encoded = base64.b64encode(b"secret").decode()
    with pytest.raises(Unusable) as caught:
        read_kubeconfig(secret(kubeconfig(token="secret two")), "")
    assert "secret two" not in str(caught.value)
    assert encoded not in str(caught.value)
