"""Pods that nobody runs, and a kubelet that knows only what they print: enough for a real API server to read logs from."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sluice.http.server import Tls
from sluice.ports.store import Obj
from tests.cli.cluster_place import ClusterPlace
from tests.contracts.store.builders import eventually
from tests.http.certificates import make_certificate

PATIENCE_S = 20.0


@dataclass
class Printed:
    """What one container printed; who follows it waits for the end."""

    text: str = ""
    over: bool = False
    cuts: int = 0
    """How many of the next answers that follow are cut off after what there is."""


@dataclass
class Kubelet:
    """The node of a place's pods. What a pod prints is said by the test."""

    place: ClusterPlace
    node: str
    known: dict[str, Printed] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    followed: list[str] = field(default_factory=list)
    """The pods whose log was followed, once for each request."""

    def pod(self, name: str, run: Obj, *, epoch: int = 1) -> None:
        """A pod of a run, bound to this node and still Pending."""
        labels = {"sluice.dev/run-uid": run["metadata"]["uid"], "sluice.dev/epoch": str(epoch)}
        self.known[name] = Printed()
        make_pod(self.place, name, labels, node=self.node)

    def begins(self, name: str) -> None:
        """Its container runs."""
        report_pod(self.place, name, phase="Running", containerStatuses=[_container({"running": {}})])

    def prints(self, name: str, text: str) -> None:
        with self.changed:
            self.known[name].text += text
            self.changed.notify_all()

    def cuts(self, name: str) -> None:
        """The connection of whoever follows it ends, though the container goes on."""
        with self.changed:
            self.known[name].cuts += 1
            self.changed.notify_all()

    def ends(self, name: str, phase: str = "Succeeded") -> None:
        """Its container ends, then its status says so."""
        with self.changed:
            self.known[name].over = True
            self.changed.notify_all()
        state = {"terminated": {"exitCode": 0 if phase == "Succeeded" else 1}}
        report_pod(self.place, name, phase=phase, containerStatuses=[_container(state)])

    def goes(self, name: str) -> None:
        """The pod is removed."""
        words = ("delete", "pod", name, f"--namespace={self.place.namespace}", "--grace-period=0", "--force")
        self.place.kubectl.run(*words)

    def stream(self, name: str, *, follow: bool) -> Iterator[bytes]:
        """What the log of a pod answers."""
        printed, sent = self.known[name], 0
        while True:
            with self.changed:
                text, over = printed.text[sent:], printed.over or not follow
                if not over and printed.cuts:
                    printed.cuts -= 1
                    over = True
                if not text and not over:
                    self.changed.wait(PATIENCE_S)
                    continue
            if text:
                yield text.encode()
            sent += len(text)
            if over:
                return


def make_pod(place: ClusterPlace, name: str, labels: dict[str, str], *, node: str = "") -> None:
    """A pod with one container; the test removes it, since no kubelet does."""
    spec = {"containers": [{"name": "runner", "image": "none"}], **({"nodeName": node} if node else {})}
    metadata = {"name": name, "namespace": place.namespace, "labels": labels}
    manifest = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def is_made() -> bool:
        done = place.kubectl.run("create", "-f", "-", stdin=manifest)
        assert not done.returncode or "serviceaccount" in done.stderr, done.stderr
        return not done.returncode

    eventually(is_made, "the namespace has its service account")
    place.undo.callback(
        place.kubectl.run, "delete", "pod", name, f"--namespace={place.namespace}", "--grace-period=0", "--force"
    )


def report_pod(place: ClusterPlace, name: str, **status: object) -> None:
    """Write a pod's status, as a kubelet does."""
    words = ("patch", "pod", name, f"--namespace={place.namespace}", "--subresource=status", "--type=merge", "-p")
    place.kubectl(*words, json.dumps({"status": status}))


def _container(state: Obj) -> Obj:
    return {"name": "runner", "image": "none", "imageID": "", "ready": False, "restartCount": 0, "state": state}


@contextmanager
def node_of(place: ClusterPlace, folder: Path) -> Iterator[Kubelet]:
    """A node with a kubelet on this machine, until the block ends."""
    kubelet = Kubelet(place, f"node-{uuid.uuid4().hex[:8]}")
    address = address_of_this_machine()
    with _serving(kubelet, make_certificate(folder, f"IP:{address}")) as port:
        place.kubectl(
            "create",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": kubelet.node}}),
        )
        status = {
            "addresses": [{"type": "InternalIP", "address": address}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        place.kubectl("patch", "node", kubelet.node, "--subresource=status", "-p", json.dumps({"status": status}))
        try:
            yield kubelet
        finally:
            place.kubectl("delete", "node", kubelet.node)


@contextmanager
def _serving(kubelet: Kubelet, tls: Tls) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            *_, name, container = url.path.split("/")
            assert container == "runner"
            follow = parse_qs(url.query).get("follow") == ["true"]
            if follow:
                kubelet.followed.append(name)
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in kubelet.stream(name, follow=follow):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:
            """The test says what went wrong."""

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certfile, tls.keyfile)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address_of_this_machine() -> str:
    """One that is not loopback: API servers lead to no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])
