"""A node that has nothing but the logs of its pods' containers: as much of a kubelet as an API server asks for these."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from sluice.adapters.kubernetes.transport import Transport
from sluice.ports.store import Obj
from tests.runner.authority import vouch

NODE = "logs"
SAID = "what the container had printed before"


class _Kubelet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """``/containerLogs/<namespace>/<pod>/<container>``"""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{SAID}\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to standard error."""


@contextmanager
def node(transport: Transport, folder: Path) -> Iterator[Callable[[Obj], None]]:
    """A node for the block; what is yielded puts a pod on it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Kubelet)
    server.socket = vouch(folder, name="kubelet").context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    where = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_port}},
    }
    made = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "status": where}
    transport.send("POST", "/api/v1/nodes", body=orjson.dumps(made))

    def bind(pod: Obj) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/binding"
        transport.send("POST", path, body=orjson.dumps(binding))

    try:
        yield bind
    finally:
        transport.send("DELETE", f"/api/v1/nodes/{NODE}")
        server.shutdown()
        server.server_close()
        thread.join()
