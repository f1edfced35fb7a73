"""The controller's certificates on a real API server, and to clients that are not written in Python."""

from __future__ import annotations

import subprocess
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sluice.adapters.kubernetes.authority import NAME, Authority, Certificates
from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.serving import ServingContext
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import NAMESPACE, SECRET
from sluice.ports.errors import AlreadyExists
from sluice.ports.store import Ref
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import namespace_manifest

pytestmark = pytest.mark.cluster


@pytest.fixture
def store(control_plane: ControlPlane) -> Iterator[KubernetesStore]:
    opened = KubernetesStore(Transport(from_kubeconfig(control_plane.kubeconfig, control_plane.controller)))
    yield opened
    opened.close()


@pytest.fixture
def namespace(store: KubernetesStore) -> Iterator[str]:
    name = f"authority-{uuid.uuid4().hex[:12]}"
    store.create(namespace_manifest(name))
    yield name
    store.delete(Ref(NAMESPACE, "", name))


def refreshed_at_once(store: KubernetesStore, namespace: str, replicas: int) -> list[Certificates]:
    start, made = threading.Barrier(replicas), []

    def begin() -> None:
        start.wait(20)
        made.append(Authority(store, namespace).refresh())

    threads = [threading.Thread(target=begin) for _ in range(replicas)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return made


def test_replicas_that_race_have_one_authority(store: KubernetesStore, namespace: str) -> None:
    made = refreshed_at_once(store, namespace, 2) + refreshed_at_once(store, namespace, 4)
    assert len(made) == 6
    assert len({one.authorities for one in made}) == len({one.serving for one in made}) == 1


def test_replicas_that_race_to_mend_it_agree(store: KubernetesStore, namespace: str) -> None:
    first = Authority(store, namespace).refresh()
    store.patch(Ref(SECRET, namespace, NAME), {"data": {"tls.crt": ""}})
    made = refreshed_at_once(store, namespace, 4)
    assert {one.authorities for one in made} == {first.authorities}
    assert len({one.serving for one in made}) == 1


def test_a_secret_of_somebody_else_stays(store: KubernetesStore, namespace: str) -> None:
    metadata = {"namespace": namespace, "name": NAME}
    before = store.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"mine": "x"}})
    with pytest.raises(AlreadyExists, match=f"kubectl delete secret --namespace {namespace} {NAME}"):
        Authority(store, namespace).refresh()
    assert store.get(Ref(SECRET, namespace, NAME)) == before


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def test_kubectl_trusts_the_server_as_the_api_server_will(
    store: KubernetesStore, namespace: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    certificates = Authority(store, namespace).refresh()
    (tmp_path / "ca.crt").write_text(certificates.authorities)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    server.socket = ServingContext(certificates).context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        command = [
            str(control_plane.kubectl),
            "--kubeconfig=/dev/null",
            f"--server=https://127.0.0.1:{server.server_port}",
            f"--certificate-authority={tmp_path / 'ca.crt'}",
            f"--tls-server-name=sluice-controller.{namespace}.svc",
            "--token=none",
            "get",
            "--raw=/",
        ]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)
    assert (said.returncode, said.stdout) == (0, "hello"), said.stderr
