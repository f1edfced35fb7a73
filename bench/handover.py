"""How long a change of leaders takes: two replicas on PostgreSQL and a real API server, one of which is stopped or killed.

    python -m bench.handover --rounds 5

`led`: from the signal until the Lease names the other one. `run`: a run that is asked for just after the signal, from
its acceptance by the API server until its end stands in its object; its pod is a process here. All share this machine.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.adapters.postgres.server import running as running_postgres
from tests.cluster.build import program, programs
from tests.cluster.control_plane import running
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.faults.replicas import Replica
from tests.cluster.faults.site import Ground, Site, lease_of, site
from tests.cluster.installation import Cluster, install

from bench.machine import machine
from sluice.adapters.kubernetes.leases import read
from sluice.ports.store import Obj

WORKFLOW = "hello"
PATIENCE_S = 90.0
WAYS: dict[str, Callable[[Replica], object]] = {
    "SIGTERM": lambda replica: replica.process.ask(),
    "kill -9": lambda replica: replica.kill(),
}


def main(arguments: list[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.handover", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    programs(*CONTROL_PLANE)
    with tempfile.TemporaryDirectory(prefix="sluice-handover-") as name, running_postgres() as postgres:
        folder = Path(name)
        (folder / "plane").mkdir()
        (folder / "site").mkdir()
        with running(folder / "plane") as plane:
            install(Cluster(program("kubectl"), plane.kubeconfig))
            with site(Ground(plane), folder / "site", random.Random(1), postgres=postgres) as made:
                made.space.apply_workflow(WORKFLOW, "output = 1")
                made.wait(lambda: _is_calm(made), "two replicas are there and one leads", patience_s=PATIENCE_S)
                made.space.wait_published(WORKFLOW, "v1")
                figures = {way: [_measure(made, act) for _ in range(rounds)] for way, act in WAYS.items()}
    sys.stdout.write(f"{machine(Path(tempfile.gettempdir()))}\n")
    for way, measured in figures.items():
        for what, samples in zip(("led", "run"), zip(*measured, strict=True), strict=True):
            shown = ", ".join(f"{sample:.2f}" for sample in samples)
            sys.stdout.write(f"{way:8} {what}: median {statistics.median(samples):.2f} s ({shown})\n")
    return 0


def _measure(made: Site, act: Callable[[Replica], object]) -> tuple[float, float]:
    """One change: seconds until the other leads, and what a run takes that is asked for meanwhile."""
    made.wait(lambda: _is_calm(made), "two replicas are there and one leads", patience_s=PATIENCE_S)
    for _ in range(2):  # a standby that has just come counts from its own first look, which is later
        renewed = _lease(made)["renewTime"]
        made.wait(lambda renewed=renewed: _lease(made)["renewTime"] != renewed, "it is renewed", patience_s=PATIENCE_S)
    made.wait(_Wait(made.dice.uniform(0, 2)), "it is some time between two renewals", patience_s=PATIENCE_S)
    leader, before = made.leader(), _holder(made)
    leader.wanted = False
    began = time.monotonic()
    act(leader)
    asked = time.monotonic()
    run = made.space.start(WORKFLOW)
    while _holder(made) in ("", before):
        if time.monotonic() - began > PATIENCE_S:
            raise TimeoutError("nobody took over")
        time.sleep(0.01)
    led = time.monotonic() - began
    while not (made.space.run(run).get("status") or {}).get("endedAt"):
        if time.monotonic() - began > PATIENCE_S:
            raise TimeoutError(f"{run} did not end")
        time.sleep(0.01)
    ended = time.monotonic() - asked
    leader.stop()
    leader.run()
    return led, ended


class _Wait:
    """True once so many seconds are over."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def __call__(self) -> bool:
        return time.monotonic() >= self._until


def _lease(made: Site) -> Obj:
    spec: Obj = made.space.store.get(lease_of(made.own).ref)["spec"]
    return spec


def _holder(made: Site) -> str:
    return read(made.space.store.get(lease_of(made.own).ref)).holder


def _is_calm(made: Site) -> bool:
    return all(replica.is_ready for replica in made.replicas) and bool(_holder(made)) and made.knows_leader


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
