"""The controller's own program, started on a test cluster as many times as a test needs it, and killed when it likes."""

from __future__ import annotations

import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.installation import Cluster
from tests.cluster.processes import Process, answers, free_port
from tests.cluster.sharing import ControlPlane

NAMESPACE = "sluice-system"
READY_S = 60


class Controller:
    """One replica. ``ledger`` is its URL; ``controller_id`` keeps several tests on one cluster apart."""

    def __init__(self, plane: ControlPlane, folder: Path, *, ledger: str, name: str = "a", **options: str) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        given = {
            "kubeconfig": str(plane.kubeconfig),
            "context": plane.controller,
            "namespace": NAMESPACE,
            "identity": name,
            "advertise": "127.0.0.1",
            "ledger": ledger,
            "listen": f"127.0.0.1:{self.port}",
            "metrics-listen": f"127.0.0.1:{self.metrics_port}",
            "runner-url": f"https://127.0.0.1:{self.port}",
            "runner-image": "ghcr.io/sluice-dev/sluice:test",
            **{key.replace("_", "-"): value for key, value in options.items()},
        }
        command: list[str | Path] = [sys.executable, "-m", "sluice", "controller"]
        command += [f"--{key}={value}" for key, value in given.items() if value]
        self.process = Process(
            command, folder=folder, name=f"controller-{name}", ready=lambda: answers(f"{self.health}/readyz")
        )

    @property
    def health(self) -> str:
        """Where probes and metrics are."""
        return f"http://127.0.0.1:{self.metrics_port}"

    def start(self) -> Controller:
        """Start it and wait until it has listed everything."""
        self.process.start()
        return self

    def stop(self) -> None:
        """Ask it to end, as a rolling update does."""
        self.process.stop()

    def kill(self) -> None:
        """As a crash does."""
        self.process.kill()

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, str]:
        """What is answered over TLS: code and body. Who the server is is another test's business."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context()) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        with urllib.request.urlopen(f"{self.health}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        samples = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in samples)

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid


@contextmanager
def controlling(
    plane: ControlPlane, folder: Path, *, ledger: str = "", name: str = "a", **options: str
) -> Iterator[Controller]:
    """A controller for the block; on an SQLite file of its own unless told otherwise."""
    manifest = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n"
    Cluster(plane.kubectl, plane.kubeconfig)("apply", "--server-side", "-f", "-", stdin=manifest)
    controller = Controller(plane, folder, ledger=ledger or f"sqlite:///{folder / 'ledger.db'}", name=name, **options)
    try:
        yield controller.start()
    finally:
        controller.stop()
