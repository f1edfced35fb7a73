"""A test cluster to measure on: everything on this machine, pods on simulated nodes, all programs known by name."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.cluster import Running, Shape, cluster
from tests.cluster.control_plane import CONTROLLER
from tests.cluster.installation import ROOT
from tests.cluster.processes import Process
from tests.cluster.sharing import ControlPlane

from bench.apiserver import Tally, tally
from bench.processes import memory
from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport

NODES = 4
SETTLED_S = 35.0
"""A garbage collector looks for new kinds every 30 s; until it knows one it asks the server about each owner of it."""
SAMPLED_S = 0.5


@dataclass(frozen=True)
class Site:
    """What there is; ``transport`` asks as fast as it likes."""

    running: Running
    transport: Transport
    folder: Path

    @property
    def store(self) -> KubernetesStore:
        """As an administrator."""
        return KubernetesStore(self.transport)

    @property
    def plane(self) -> ControlPlane:
        """For programs of Sluice."""
        return ControlPlane(self.running.plane.kubeconfig, self.running.kubectl.kubectl, CONTROLLER)

    def tally(self, more: Mapping[str, int]) -> Tally:
        """What was spent so far by the cluster's own programs and by ``more`` (name and process id)."""
        plane = self.running.plane
        parts = [plane.etcd, plane.apiserver, plane.controller_manager, plane.scheduler, self.running.simulator]
        return tally(self.transport, {part.name: part.pid for part in parts if part} | dict(more))

    def create_namespace(self, name: str) -> None:
        """A namespace, with its service account."""
        self.running.kubectl("create", "namespace", name)
        self.running.kubectl("wait", "--for=create", "--timeout=60s", "serviceaccount/default", f"--namespace={name}")


def wait_until_settled() -> None:
    """Let the cluster get to know what was installed before anything is measured."""
    time.sleep(SETTLED_S)


def module(name: str, folder: Path, *options: str) -> Process:
    """A module of this repository as a program, not started; its log is in ``folder``."""
    found = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", name, *options]
    return Process(command, folder=folder, name=name, environment={**os.environ, "PYTHONPATH": found})


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A fresh one, for the block."""
    folder.mkdir(parents=True)
    with cluster(folder, Shape(simulated=NODES)) as running:
        transport = Transport(from_kubeconfig(running.plane.kubeconfig), Limits(qps=10_000, burst=20_000))
        try:
            yield Site(running, transport, folder)
        finally:
            transport.close()


@contextmanager
def sampling(pid: int) -> Iterator[list[float]]:
    """Megabytes of a process with its children, every half second while the block lasts."""
    found: list[float] = []
    stopped = threading.Event()

    def sample() -> None:
        while not stopped.wait(SAMPLED_S):
            found.append(memory([pid]))

    thread = threading.Thread(target=sample, name="sampling")
    thread.start()
    try:
        yield found
    finally:
        stopped.set()
        thread.join()
        found.append(memory([pid]))


def spent(before: Tally, after: Tally, count: int) -> dict[str, Any]:
    """The difference, ready for JSON: milliseconds of processor by program, and requests, for each of ``count``."""
    difference = after - before
    requests = {
        what: round(number / count, 2) for what, number in difference.requests.most_common() if number > count / 50
    }
    return {
        "ms": {name: round(value / count * 1e3, 2) for name, value in difference.seconds.items()},
        "requests": requests,
        "requests_all": round(sum(difference.requests.values()) / count, 1),
    }
