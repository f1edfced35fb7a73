"""How to be known to a server: tokens, client certificates, and programs that hand them out; and whom to trust."""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from sluice.cli.failures import Failed, Wrong
from sluice.cli.kubeconfig import Target

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """A bearer token, or a certificate with its key as PEM; all empty where the server asks for nothing."""

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""


def credentials_of(target: Target) -> Credentials:
    """What the user of ``target`` is known by. Failed when a program or file does not give it."""
    user = target.user
    if "auth-provider" in user:
        raise Wrong(f"{target.origin}: users: auth-provider is no longer part of Kubernetes; use exec instead")
    if user.get("exec"):
        return from_program(user["exec"])
    token = str(user.get("token") or "")
    if user.get("tokenFile"):
        token = _content(user["tokenFile"]).decode().strip()
    return Credentials(token, _pem(user, "client-certificate"), _pem(user, "client-key"))


def impersonation_of(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers of a user who acts as somebody else (``as``, ``as-uid``, ``as-groups``, ``as-user-extra``): ignoring that
    would give more rights than were meant."""
    named = [("impersonate-user", user.get("as")), ("impersonate-uid", user.get("as-uid"))]
    named += [("impersonate-group", group) for group in user.get("as-groups") or ()]
    for key, values in (user.get("as-user-extra") or {}).items():
        named += [(f"impersonate-extra-{quote(key, safe='')}", value) for value in values]
    return [(header, str(value)) for header, value in named if value]


def may_send_token(server: str) -> bool:
    """Whether a token is safe on the way: over TLS, or to this very machine."""
    return urlsplit(server).scheme == "https" or is_loopback(server)


def is_loopback(server: str) -> bool:
    """Whether the server is on this machine; no proxy stands before it."""
    return (urlsplit(server).hostname or "") in LOOPBACK


def tls_context(target: Target, credentials: Credentials) -> ssl.SSLContext:
    """Whom to trust, and the certificate to show."""
    authority = _pem(target.cluster, "certificate-authority")
    try:
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if target.cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if credentials.certificate:
            _load_pair(context, credentials)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise Wrong(f"{target.origin}: a certificate or key can't be read: {error}") from error
    return context


def from_program(settings: Mapping[str, Any]) -> Credentials:
    """Run the program that ``exec`` of a kubeconfig names, and take what it prints (an ``ExecCredential``)."""
    version = str(settings.get("apiVersion") or "client.authentication.k8s.io/v1")
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    environ = dict(os.environ) | {entry["name"]: entry["value"] for entry in settings.get("env") or []}
    environ["KUBERNETES_EXEC_INFO"] = orjson.dumps(info).decode()
    command = [str(settings.get("command") or ""), *map(str, settings.get("args") or [])]
    try:
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        hint = f" {settings['installHint']}" if settings.get("installHint") else ""
        raise Failed(f"the program {command[0]!r} of your kubeconfig gave no credentials: {error}{hint}") from error
    try:
        status = orjson.loads(done.stdout)["status"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Failed(f"the program {command[0]!r} of your kubeconfig printed no ExecCredential") from error
    certificate, key = status.get("clientCertificateData") or "", status.get("clientKeyData") or ""
    return Credentials(str(status.get("token") or ""), certificate.encode(), key.encode())


def _pem(section: Mapping[str, Any], name: str) -> bytes:
    """A file's content, given in place or by its path; what is in place counts."""
    if section.get(f"{name}-data"):
        try:
            return base64.b64decode(section[f"{name}-data"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Wrong(f"kubeconfig: {name}-data is no base64") from error
    return _content(section[name]) if section.get(name) else b""


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failed(f"kubeconfig: {path} can't be read: {error.strerror}") from error


def _load_pair(context: ssl.SSLContext, credentials: Credentials) -> None:
    """OpenSSL reads certificates from files only; these live for a moment, for their owner's eyes alone."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        certificate, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        certificate.write_bytes(credentials.certificate)
        key.write_bytes(credentials.key or credentials.certificate)
        context.load_cert_chain(certificate, key)
