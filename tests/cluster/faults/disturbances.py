"""What goes wrong: each disturbance begins, lasts for a while, and ends."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from sluice.adapters.kubernetes.launching.workloads import JOB, POD
from sluice.api import kinds
from sluice.ports.errors import PortError
from sluice.ports.store import Ref
from tests.cluster.faults.site import Site
from tests.cluster.processes import Process, ProcessError

End = Callable[[], None]

PLANE, LEADER, LEDGER, LINES, RUNS = "plane", "leader", "ledger", "lines", "runs"
"""What is hit. Disturbances of one thing don't overlap."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """``begin`` answers with what ends it; ``lasts`` is from and to how many seconds."""

    name: str
    hits: str
    begin: Callable[[Site], End]
    lasts: tuple[float, float] = (0.0, 0.0)
    weight: int = 2


def start(part: Process) -> None:
    """Start it. On a busy machine it may be ready later than anybody waits for: all here go on trying."""
    try:
        part.start()
    except ProcessError:
        if not part.is_running:
            raise


def _nothing() -> None:
    return


# -- the leader ---------------------------------------------------------------------------------------------------------
def _kill_leader(site: Site) -> End:
    leader = site.leader()
    leader.kill()
    return leader.run


def _hand_over(site: Site) -> End:
    leader = site.leader()
    took = leader.stop()
    site.say(f"{leader.name} stopped in {took:.2f} s with {leader.process.ended_with}")
    itself = (None, 0, 1) if leader.has_begun else (None, 0, 1, -signal.SIGTERM)
    assert leader.process.ended_with in itself, f"{leader.name} did not end by itself: {leader.process.ended_with}"
    return leader.run


def _pause_leader(site: Site) -> End:
    leader = site.leader()
    leader.pause()
    return leader.resume


# -- the control plane --------------------------------------------------------------------------------------------------
def _kill_apiserver(site: Site) -> End:
    site.plane.apiserver.kill()
    return lambda: start(site.plane.apiserver)


def _restart_apiserver(site: Site) -> End:
    site.plane.apiserver.stop()
    return lambda: start(site.plane.apiserver)


def _kill_etcd(site: Site) -> End:
    site.plane.etcd.kill()
    return lambda: start(site.plane.etcd)


def _compact(site: Site) -> End:
    """Watches that are resumed afterwards are too old."""
    lines = [replica.api for replica in site.replicas]
    for line in lines:
        line.denies = True
        line.cut()
    for run in site.space.store.list(kinds.WORKFLOW_RUN, site.space.namespace).items[:3]:
        _relabel(site, Ref(kinds.WORKFLOW_RUN, site.space.namespace, run["metadata"]["name"]), "before-compaction")
    with httpx.Client(base_url=site.etcd) as etcd:
        now = etcd.post("/v3/kv/range", json={"key": "AA=="}).json()["header"]["revision"]
        etcd.post("/v3/kv/compaction", json={"revision": now, "physical": True}).raise_for_status()
    site.plane.apiserver.kill()
    start(site.plane.apiserver)

    def end() -> None:
        for line in lines:
            line.denies = False

    return end


def _stop_jobs(site: Site) -> End:
    site.plane.controller_manager.kill()
    return lambda: start(site.plane.controller_manager)


# -- lines --------------------------------------------------------------------------------------------------------------
def _cut_watches(site: Site) -> End:
    for replica in site.replicas:
        replica.api.cut()
    return _nothing


def _answering(status: int) -> Callable[[Site], End]:
    def begin(site: Site) -> End:
        lines = [replica.api for replica in site.replicas]
        for line in lines:
            line.answer = (status, "1")

        def end() -> None:
            for line in lines:
                line.answer = None

        return end

    return begin


def _slow(site: Site) -> End:
    lines = [replica.api for replica in site.replicas]
    for line in lines:
        line.delay_s = 0.15

    def end() -> None:
        for line in lines:
            line.delay_s = 0.0

    return end


def _black_hole(site: Site) -> End:
    line = site.leader().api
    line.hangs = True

    def end() -> None:
        line.hangs = False
        if site.dice.random() < 0.5:
            line.cut()

    return end


def part_runners(site: Site) -> End:
    """Runners and controllers don't reach each other: no connection, or one over which nothing comes."""
    lines, hangs = site.service.lines, site.dice.random() < 0.5
    for line in lines:
        line.hangs, line.denies = hangs, not hangs
        if not hangs:
            line.cut()

    def end() -> None:
        for line in lines:
            line.hangs = line.denies = False

    return end


# -- the ledger ---------------------------------------------------------------------------------------------------------
def _restart_postgres(site: Site) -> End:
    assert site.postgres is not None
    site.postgres.stop(site.dice.choice([signal.SIGINT, signal.SIGQUIT]))
    return site.postgres.start


def _fill_disk(site: Site) -> End:
    filler = site.disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return lambda: filler.unlink(missing_ok=True)


# -- runs ---------------------------------------------------------------------------------------------------------------
def delete_one(kind: kinds.KindInfo) -> Callable[[Site], End]:
    """Of the workspace, chosen by chance."""

    def begin(site: Site) -> End:
        with contextlib.suppress(PortError):
            found = site.space.store.list(kind, site.space.namespace).items
            if found:
                chosen = site.dice.choice(found)["metadata"]["name"]
                site.say(f"{kind.kind} {chosen} is deleted")
                site.space.store.delete(Ref(kind, site.space.namespace, chosen))
        return _nothing

    return begin


def _kill_runner(site: Site) -> End:
    assert site.kubelet is not None
    there = list(site.kubelet.pods.values())
    if there:
        chosen = site.dice.choice(there)
        site.say(f"the runner of {chosen.name} is killed")
        chosen.process.kill()
    return _nothing


def _storm(site: Site) -> End:
    """Somebody else writes to all objects, all the time: who has read one is late."""
    over = threading.Event()

    def blow() -> None:
        number = 0
        while not over.wait(0.02):
            with contextlib.suppress(PortError):
                for kind in (kinds.WORKFLOW, kinds.ROLLOUT, kinds.WORKFLOW_RUN):
                    for obj in site.space.store.list(kind, site.space.namespace).items[-6:]:
                        number += 1
                        _relabel(site, Ref(kind, site.space.namespace, obj["metadata"]["name"]), str(number))

    thread = threading.Thread(target=blow, name="storm", daemon=True)
    thread.start()

    def end() -> None:
        over.set()
        thread.join(30)

    return end


def _relabel(site: Site, ref: Ref, value: str) -> None:
    with contextlib.suppress(PortError):
        site.space.store.patch(ref, {"metadata": {"labels": {"example.com/storm": value}}})


DISTURBANCES: Final = (
    Disturbance("the leader is killed", LEADER, _kill_leader, (0.3, 8), 4),
    Disturbance("the leader is stopped", LEADER, _hand_over, (0.3, 4), 3),
    Disturbance("the leader stands still", LEADER, _pause_leader, (16, 19), 2),
    Disturbance("the API server is killed", PLANE, _kill_apiserver, (0.5, 5), 3),
    Disturbance("the API server is restarted", PLANE, _restart_apiserver, (0.2, 1), 2),
    Disturbance("etcd is killed", PLANE, _kill_etcd, (0.5, 4), 3),
    Disturbance("etcd is compacted", PLANE, _compact, (0.3, 2), 2),
    Disturbance("the controller manager is killed", PLANE, _stop_jobs, (1, 6), 1),
    Disturbance("watches are cut", LINES, _cut_watches, weight=2),
    Disturbance("the API server has no time (429)", LINES, _answering(429), (1, 5), 2),
    Disturbance("the API server says 503", LINES, _answering(503), (1, 5), 2),
    Disturbance("the API server is slow", LINES, _slow, (3, 8), 1),
    Disturbance("the leader's line is a black hole", LINES, _black_hole, (3, 14), 2),
    Disturbance("runners reach no controller", RUNS, part_runners, (2, 12), 2),
    Disturbance("runners reach no controller for a minute", RUNS, part_runners, (55, 65), 1),
    Disturbance("PostgreSQL is restarted", LEDGER, _restart_postgres, (0.3, 6), 4),
    Disturbance("the ledger's disk is full", LEDGER, _fill_disk, (2, 6), 4),
    Disturbance("a pod is deleted", RUNS, delete_one(POD), weight=3),
    Disturbance("a Job is deleted", RUNS, delete_one(JOB), weight=3),
    Disturbance("a runner is killed", RUNS, _kill_runner, weight=3),
    Disturbance("somebody else writes to everything", "objects", _storm, (3, 8), 2),
)


def possible(*, postgres: bool, full_disk: bool) -> list[Disturbance]:
    """Those that can happen; of the ledger only where it has what fails."""
    return [
        one
        for one in DISTURBANCES
        if one.hits != LEDGER or (postgres if "Postgre" in one.name else full_disk and not postgres)
    ]


def choose(dice: random.Random, among: Sequence[Disturbance], count: int) -> list[Disturbance]:
    """So many; a disk that can be full is."""
    chosen = dice.choices(among, [one.weight for one in among], k=count)
    filling = [one for one in among if one.begin is _fill_disk]
    return [*filling, *chosen[len(filling) :]]
