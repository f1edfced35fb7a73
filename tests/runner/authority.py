"""Certificates for tests of the runner's line: an authority, and what it vouches for."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "sluice-controller.sluice-system.svc"


@dataclass(frozen=True)
class Vouched:
    """An authority's certificate (PEM), and a server's context with a certificate by it."""

    authority: str
    context: ssl.SSLContext


def vouch(folder: Path, *, name: str = NAME) -> Vouched:
    """A new authority and a server of this name, which is not that of any address."""
    now = dt.datetime.now(dt.UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority for tests")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    base = x509.CertificateBuilder().issuer_name(issuer).not_valid_before(now - dt.timedelta(hours=1))
    base = base.not_valid_after(now + dt.timedelta(days=1))
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = (
        base.subject_name(issuer)
        .public_key(authority_key.public_key())
        .serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        base.subject_name(subject)
        .public_key(key.public_key())
        .serial_number(2)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = folder / f"{name}.pem"
    chain.write_bytes(leaf.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Vouched(authority.public_bytes(pem).decode(), context)
