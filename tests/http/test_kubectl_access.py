"""Tokens and roles with the real kubectl, over TLS: over http it would not send the token."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.kubeconfig import Connection
from sluice.http.server import RouteGroup, Running, Tls
from sluice.ports.store import Actor
from tests.http.kubectl import Kubectl
from tests.http.live import running

MAKE = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=sluice"


class Tokens:
    def authenticate(self, token: str) -> Actor | None:
        return Actor("vera@example.com", ("viewers",)) if token == "vera-token" else None


class Viewers:
    def allows(self, actor: Actor, verb: str, kind: KindInfo, namespace: str) -> bool:
        return verb in {"get", "list", "watch"} and namespace == "default"


@pytest.fixture
def access() -> Access:
    return Access(Tokens(), Viewers())


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    openssl = shutil.which("openssl")
    assert openssl is not None
    files = Tls(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.keyfile, "-out", files.certfile]
    subprocess.run([openssl, *MAKE.split(), *names], check=True, capture_output=True)
    return files


@pytest.fixture
def server(group: RouteGroup, tls: Tls) -> Iterator[Running]:
    with running([group], tls=tls) as live:
        yield live


def person(server: Running, tls: Tls, home: Path, token: str) -> Kubectl:
    home.mkdir()
    return Kubectl(home, Connection(server.url, token=token, authority=Path(tls.certfile).read_bytes()))


def test_a_viewer_looks_and_changes_nothing(server: Running, tls: Tls, tmp_path: Path) -> None:
    vera = person(server, tls, tmp_path / "vera", "vera-token")

    assert vera.attempt("get", "workflows").returncode == 0
    assert 'User "vera@example.com" cannot create resource "secrets"' in vera.fails(
        "create", "secret", "generic", "s", "--from-literal=a=b"
    )
    assert "at the cluster scope" in vera.fails("get", "workflows", "-A")
    assert vera("auth", "can-i", "list", "workflows") == "yes\n"
    assert vera.attempt("auth", "can-i", "delete", "workflows").stdout == "no\n"
    assert "vera@example.com" in vera("auth", "whoami")
    assert "workflows.sluice.dev" in vera("auth", "can-i", "--list")


def test_an_unknown_token_is_not_answered(server: Running, tls: Tls, tmp_path: Path) -> None:
    stranger = person(server, tls, tmp_path / "stranger", "guessed")

    assert "Unauthorized" in stranger.fails("get", "--raw", "/apis")
