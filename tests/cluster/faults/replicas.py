"""Replicas of the controller with every line of theirs in the test's hand, and what a Deployment and a Service do for them."""

from __future__ import annotations

import random
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster.control_plane import CONTROLLER, Plane
from tests.cluster.controllers import NAMESPACE
from tests.cluster.images import sluice_name
from tests.cluster.kubeconfigs import User, write_kubeconfig
from tests.cluster.processes import Process, answers, free_port
from tests.cluster.proxy import Address, Proxy

BEHIND = "127.0.0.2"
"""Where replicas listen. Runners reach each at the same port of the control plane's own address, where a proxy is."""
GRACE_S = 30.0
"""What a pod has to end by itself."""
DEPOSED = "is over without our doing: this process ends"
RESTART_S = 1.0
"""What a kubelet takes at least to start a container again that ended by itself."""


class Replica:
    """One replica. ``api`` is its line to the API server, ``door`` that of runners to it."""

    def __init__(self, plane: Plane, folder: Path, name: str, options: dict[str, str]) -> None:
        self.name = name
        self.wanted = False
        self.exits: list[int] = []
        """Codes with which it ended without having been killed."""
        here = plane.options.address
        port, self._metrics = free_port(here), free_port(BEHIND)
        server = urlsplit(plane.server)
        target: Address = (server.hostname or "", server.port or 0)
        tls = ssl.create_default_context(cafile=plane.authority)
        self.api = Proxy(lambda: target, listen=(BEHIND, free_port(BEHIND)), tls=tls)
        self.behind: Address = (BEHIND, port)
        self.door = Proxy(lambda: self.behind, listen=(here, port))
        kubeconfig = folder / f"kubeconfig-{name}"
        users = {CONTROLLER: User(plane.tokens[CONTROLLER])}
        write_kubeconfig(kubeconfig, f"http://{BEHIND}:{self.api.port}", plane.authority.read_bytes(), users)
        given = {
            "kubeconfig": str(kubeconfig),
            "namespace": NAMESPACE,
            "identity": name,
            "advertise": here,
            "listen": f"{BEHIND}:{port}",
            "metrics-listen": f"{BEHIND}:{self._metrics}",
            "runner-image": sluice_name(),
            "pull-policy": "Never",
            **options,
        }
        command = [sys.executable, "-m", "sluice", "controller", *(f"--{key}={value}" for key, value in given.items())]
        self.process = Process(command, folder=folder, name=f"controller-{name}")
        self._ended_at = 0.0
        self._paused = False
        self._said_before = 0
        for line in (self.api, self.door):
            line.start()

    @property
    def health(self) -> str:
        """Where probes and metrics are."""
        return f"http://{BEHIND}:{self._metrics}"

    @property
    def is_ready(self) -> bool:
        """As its probe says."""
        return self.process.is_running and not self._paused and answers(f"{self.health}/readyz")

    @property
    def can_answer(self) -> bool:
        """Whether a Service may send somebody there."""
        return self.process.is_running and not self._paused

    @property
    def has_begun(self) -> bool:
        """Whether it has said anything since it was started last. Before, a signal ends it like any interpreter."""
        return len(self.log) > self._said_before

    @property
    def was_deposed(self) -> bool:
        """Whether it has ended, or is about to, because it leads no more."""
        return DEPOSED in self.log[self._said_before :]

    def run(self) -> None:
        """Have it run, from now on and whenever it ends by itself."""
        self.wanted = True
        self.look_after()

    def look_after(self) -> None:
        """Start it again if it has ended, after a pause."""
        if not self.wanted or self.process.is_running:
            return
        if not self._ended_at:
            self._ended_at = time.monotonic()
            code = self.process.ended_with
            if code is not None and code >= 0:
                self.exits.append(code)
        if not self.exits or time.monotonic() - self._ended_at > RESTART_S:
            self._ended_at = 0.0
            self._paused = False
            self._said_before = len(self.log)
            self.process.start()

    def kill(self) -> None:
        """As a crash does."""
        self.wanted = False
        self.process.kill()

    def stop(self) -> float:
        """As a rolling update does; answers with how many seconds it took."""
        self.wanted = False
        began = time.monotonic()
        self.resume()
        self.process.ask()
        while self.process.is_running and time.monotonic() - began < GRACE_S:
            time.sleep(0.02)
        self.process.kill()
        return time.monotonic() - began

    def pause(self) -> None:
        """As a machine that stands still does."""
        if self.process.is_running:
            self.process.pause()
            self._paused = True

    def resume(self) -> None:
        """Go on after a pause."""
        if self._paused and self.process.is_running:
            self.process.resume()
        self._paused = False

    def close(self) -> None:
        """End it and its lines."""
        self.stop()
        for line in (self.api, self.door):
            line.stop()

    @property
    def log(self) -> str:
        """All that it has said in all its lives."""
        return self.process.log.read_text(errors="replace") if self.process.log.exists() else ""


class Service:
    """One address for all replicas, as kube-proxy makes it: each connection goes to any of them that is there."""

    def __init__(self, address: str, dice: random.Random) -> None:
        self.replicas: list[Replica] = []
        self._dice = dice
        self.line = Proxy(self._choose, listen=(address, free_port(address)))
        self.url = f"https://{address}:{self.line.port}"
        """What runners are given."""
        self.line.start()

    @property
    def lines(self) -> list[Proxy]:
        """All lines between runners and controllers."""
        return [self.line, *(replica.door for replica in self.replicas)]

    def _choose(self) -> Address:
        there = [replica.behind for replica in self.replicas if replica.can_answer]
        if not there:
            raise ConnectionRefusedError("no replica is there")
        return self._dice.choice(there)
