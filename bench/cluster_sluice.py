"""Sluice's side of the comparison on a cluster: runs as Jobs or pods, of one step or three; their pods are played."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.controllers import Controller, controlling
from tests.cluster.processes import Process

from bench.arrivals import Arrivals
from bench.cluster_site import Site, module, sampling, spent, wait_until_settled
from bench.definitions import ENDED, NOTHING, chain, run, workflow
from bench.figures import percentile
from sluice.adapters.kubernetes.launching.workloads import JOB, POD
from sluice.api import kinds
from sluice.ports.store import Obj

ASKED = "rest_client_requests_total"
"""The controller's own count of what it asks."""
FAST = {"qps": "5000", "burst": "10000"}
PACED = 100
"""Runs started one by one for the time from trigger to Job, every PACED_S."""
PACED_S = 0.2
KEPT_S = 3600
WORKFLOWS = 40
"""Nothing is cleaned up while it is measured, for Argo cleans nothing up either: ended Jobs stay for KEPT_S, and of each
workflow 50 ended runs, so up to 2,000 runs are spread over that many workflows."""


@dataclass
class Measured:
    """A controller in a namespace of its own, with WORKFLOWS workflows of one step and as many of three."""

    site: Site
    controller: Controller
    player: Process
    namespace: str
    launch: str
    arrivals: Arrivals
    begun: int = field(default=0)

    def many(self, of: str, count: int) -> dict[str, Any]:
        """So many runs at once, from the first request to the last end."""
        arrivals, controller = self.arrivals, self.controller
        arrivals.asked.clear()
        arrivals.at.clear()
        programs = {"controller": controller.pid, "player": self.player.pid}
        before, own = self.site.tally(programs), controller.metric(ASKED)
        with sampling(controller.pid) as megabytes:
            arrivals.create(self._runs(of, count))
            arrivals.wait(count, check=self.controller.process.check)
        told = spent(before, self.site.tally(programs), count)
        failed = sum(one["status"]["phase"] != "Succeeded" for one in arrivals.last.values())
        if failed:
            raise RuntimeError(f"{failed} of {count} runs did not succeed")
        return told | {
            "per_minute": count / arrivals.seconds() * 60,
            "megabytes": max(megabytes),
            "own_requests": (controller.metric(ASKED) - own) / count,
        }

    def paced(self, count: int = PACED, every: float = PACED_S) -> dict[str, Any]:
        """Milliseconds from the request for a run to its Job (or pod) being seen, one run at a time."""
        made = Arrivals(
            self.site.transport, JOB if self.launch == "Job" else POD, self.namespace, lambda _: True
        ).start()
        time.sleep(1)
        before = set(made.at)
        self.arrivals.asked.clear()
        self.arrivals.at.clear()
        try:
            self.arrivals.create(self._runs("one", count), every=every)
            self.arrivals.wait(count, check=self.controller.process.check)
        finally:
            made.stop()
        took = []
        for name, at in made.at.items():
            if name not in before:
                owner = made.last[name]["metadata"]["ownerReferences"][0]["name"]
                took.append((at - self.arrivals.asked[owner]) * 1e3)
        ends = [(at - self.arrivals.asked[name]) * 1e3 for name, at in self.arrivals.at.items()]
        return {
            "launch_ms": [percentile(took, share) for share in (50, 99)],
            "end_ms": [percentile(ends, share) for share in (50, 99)],
        }

    def _runs(self, of: str, count: int) -> list[Obj]:
        self.begun += count
        numbers = range(self.begun - count, self.begun)
        made = [run(f"{of}-{number % WORKFLOWS}", f"{of}-run-{number}") for number in numbers]
        for obj in made:
            obj["metadata"]["namespace"] = self.namespace
        return made


@contextmanager
def sluice(site: Site, name: str, *, launch: str = "Job", ledger: str = "") -> Iterator[Measured]:
    """Everything that is needed, for the block. ``ledger`` is a URL; an SQLite file in the site's folder by default."""
    folder = site.folder / name
    folder.mkdir()
    kubeconfig = site.running.plane.kubeconfig
    player = module("tests.cluster.player", folder, f"--kubeconfig={kubeconfig}", f"--controller-id={name}")
    player.start()
    options = {"controller_id": name, "watch_namespaces": name, **FAST}
    try:
        with (
            _place(site, name, launch) as arrivals,
            controlling(site.plane, folder, ledger=ledger, name=name, **options) as controller,
        ):
            measured = Measured(site, controller, player, name, launch, arrivals)
            for number in range(WORKFLOWS):
                for of, steps in (("one", 1), ("three", 3)):
                    flow = workflow(f"{of}-{number}", chain([NOTHING] * steps))
                    flow["metadata"]["namespace"] = name
                    site.store.create(flow)
            wait_for_versions(site, name)
            for of in ("one", "three"):
                arrivals.create(measured._runs(of, 5))
            arrivals.wait(10)
            wait_until_settled()
            yield measured
    finally:
        player.stop()


@contextmanager
def _place(site: Site, name: str, launch: str) -> Iterator[Arrivals]:
    """A namespace with an environment; it is left as it is, for deleting it would burden what comes next."""
    site.create_namespace(name)
    environment = {
        "apiVersion": kinds.API_VERSION,
        "kind": "Environment",
        "metadata": {"name": "local", "namespace": name},
        "spec": {
            "type": "Sandbox",
            "defaultState": "Active",
            "launch": launch,
            "runner": {"ttlSecondsAfterFinished": KEPT_S},
        },
    }
    site.store.create(environment)
    arrivals = Arrivals(site.transport, kinds.WORKFLOW_RUN, name, _has_ended).start()
    try:
        yield arrivals
    finally:
        arrivals.stop()


def wait_for_versions(site: Site, namespace: str, *, patience_s: float = 60.0) -> None:
    """Until every workflow has its first version in force."""
    deadline = time.monotonic() + patience_s
    while True:
        flows = site.store.list(kinds.WORKFLOW, namespace).items
        if all((flow.get("status") or {}).get("live") == "v1" for flow in flows):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the workflows were not published in {patience_s:g} s")
        time.sleep(0.1 + len(flows) / 500)


def _has_ended(obj: Obj) -> bool:
    return (obj.get("status") or {}).get("phase") in ENDED
