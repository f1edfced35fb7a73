"""Servers that ask who one is: tokens and certificates over TLS, as on a cluster."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.cli.credentials import credentials_of, tls_context
from sluice.cli.kubeconfig import Target
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.server import Running, Tls
from sluice.ports.store import Actor
from tests.cli.place import Place, call
from tests.http.certificates import make_certificate
from tests.http.live import running


class Tokens:
    def authenticate(self, token: str) -> Actor | None:
        return Actor("vera@example.com") if token == "vera-token" else None


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_certificate(tmp_path_factory.mktemp("tls"), "DNS:sluice.test", "IP:127.0.0.1")


@pytest.fixture
def server(served: Place, tls: Tls) -> Iterator[Running]:
    store = served.store
    group = kubernetes_group(store, Catalog(), access=Access(Tokens()), acting_as=store.acting_as)
    with running([group], tls=tls) as live:
        yield live


def known(tmp_path: Path, server: str, *, user: dict[str, Any], **cluster: Any) -> list[str]:
    config = {
        "clusters": [{"name": "a", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "a", "user": user}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    return ["--kubeconfig", str(path)]


VERA = {"token": "vera-token"}


def test_a_token_goes_to_a_server_whose_authority_is_named(tmp_path: Path, server: Running, tls: Tls) -> None:
    authority = base64.b64encode(Path(tls.certfile).read_bytes()).decode()
    for cluster in ({"certificate-authority-data": authority}, {"certificate-authority": tls.certfile}):
        result = call("get", "workflows", *known(tmp_path, server.url, user=VERA, **cluster))
        assert (result.exit_code, result.stderr) == (0, "No resources found in default namespace.\n")


def test_a_server_that_nobody_vouches_for_is_not_trusted(tmp_path: Path, server: Running) -> None:
    result = call("get", "workflows", *known(tmp_path, server.url, user=VERA))
    assert result.exit_code == 1
    assert f"the certificate of {server.url} is not trusted: set certificate-authority in " in result.stderr


def test_verification_may_be_left_out_on_request(tmp_path: Path, server: Running) -> None:
    words = known(tmp_path, server.url, user=VERA, **{"insecure-skip-tls-verify": True})
    assert call("get", "workflows", *words).exit_code == 0


@pytest.mark.parametrize(("name", "code"), [("sluice.test", 0), ("other.test", 1)])
def test_the_name_on_the_certificate_may_be_another(
    tmp_path: Path, server: Running, tls: Tls, name: str, code: int
) -> None:
    cluster = {"certificate-authority": tls.certfile, "tls-server-name": name}
    assert call("get", "workflows", *known(tmp_path, server.url, user=VERA, **cluster)).exit_code == code


def test_a_token_that_nobody_gave_out_is_told_so(tmp_path: Path, server: Running, tls: Tls) -> None:
    words = known(tmp_path, server.url, user={"token": "guessed"}, **{"certificate-authority": tls.certfile})
    result = call("get", "workflows", *words)
    assert (result.exit_code, "the server does not know you" in result.stderr) == (1, True)


def test_a_client_certificate_is_loaded_with_its_key(tls: Tls) -> None:
    target = Target("https://a", user={"client-certificate": tls.certfile, "client-key": tls.keyfile})
    context = tls_context(target, credentials_of(target))
    assert context.cert_store_stats()["x509"] > 0
