"""A seeded story: two workflows, a rollout in mid-way, some runs, and what goes wrong meanwhile.

The seed decides what happens when. What a disturbance hits (which pod is there, who leads) depends on timing as well.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.api import kinds
from sluice.api.kinds import API_VERSION
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref
from tests.cluster.faults.disturbances import LEADER, Disturbance, End, choose, possible, start
from tests.cluster.faults.site import Site

WALKING, STEADY = "walking", "steady"
STEPS = ("first", "pause", "flaky", "last")
CALM_S = 240.0
"""How long all may take to be quiet once nothing is disturbed any more: an outage is followed by pauses as long as it was."""

Act = Callable[[Site], object]


@dataclass(frozen=True, slots=True)
class Moment:
    """At so many seconds this is done."""

    at: float
    what: str
    act: Act


@dataclass(frozen=True)
class Scenario:
    """What will happen. ``expected`` has the phases in which each run may end; those that are deleted are in ``deleted``."""

    seed: int
    postgres: bool
    full_disk: bool
    skew_s: int
    percent: int
    moments: tuple[Moment, ...]
    expected: dict[str, tuple[str, ...]]
    deleted: frozenset[str]
    wait: str
    versions: dict[str, int] = field(default_factory=lambda: {WALKING: 2, STEADY: 1})

    def __str__(self) -> str:
        what = "; ".join(f"{moment.at:.1f} {moment.what}" for moment in self.moments)
        where = "PostgreSQL, two replicas" if self.postgres else "SQLite, one replica"
        return f"seed {self.seed}: {where}, {self.percent} %, clocks of runners {self.skew_s:+d} s: {what}"


def scenario(seed: int) -> Scenario:
    """The scenario of a seed."""
    dice = random.Random(seed)
    postgres = seed % 2 == 0
    full_disk = not postgres and dice.random() < 0.3 and os.geteuid() == 0
    skew = dice.choice([0, 0, 0, dice.randint(-120, 120)])
    percent, wait = dice.choice([0, 10, 25, 33, 50, 75, 100]), dice.choice(["500ms", "1s", "1s", "3s"])
    moments, expected, deleted = _runs(dice)
    publishes_at = dice.uniform(1, 6)
    moments.append(Moment(publishes_at, "v2 is published", lambda site: publish(site, WALKING, 2, wait)))
    among = possible(postgres=postgres, full_disk=full_disk)
    moments += _disturbed(dice, choose(dice, among, dice.randint(2, 5)))
    moments.sort(key=lambda moment: moment.at)
    return Scenario(seed, postgres, full_disk, skew, percent, tuple(moments), expected, frozenset(deleted), wait=wait)


def scenario_on(nodes: Sequence[Disturbance], seed: int) -> Scenario:
    """One in which ``nodes`` may happen too, as the seed chooses two of them, and perhaps something else beside them."""
    dice = random.Random(seed)
    percent, postgres = dice.choice([25, 50]), seed % 2 == 0
    moments, expected, deleted = _runs(dice)
    publishes_at = dice.uniform(1, 6)
    moments.append(Moment(publishes_at, "v2 is published", lambda site: publish(site, WALKING, 2, "3s")))
    first = nodes[(seed - 1) % len(nodes)]
    others = [one for one in possible(postgres=postgres, full_disk=False) if one.hits == LEADER]
    chosen = [first, *dice.choices([*nodes, *others], k=dice.randint(0, 2))]
    moments += _disturbed(dice, chosen)
    moments.sort(key=lambda moment: moment.at)
    return Scenario(seed, postgres, False, 0, percent, tuple(moments), expected, frozenset(deleted), wait="3s")


def _runs(dice: random.Random) -> tuple[list[Moment], dict[str, tuple[str, ...]], set[str]]:
    moments: list[Moment] = []
    expected: dict[str, tuple[str, ...]] = {}
    deleted: set[str] = set()
    for number in range(dice.randint(6, 11)):
        workflow = dice.choice([WALKING, WALKING, STEADY])
        name, at = f"{workflow}-{number}", dice.uniform(0, 9)
        expected[name] = ("Succeeded",)
        moments.append(Moment(at, f"{name} is asked for", _starts(workflow, name)))
        fate = dice.random()
        if fate < 0.08:
            expected[name] = ("Succeeded", "Cancelled")
            moments.append(Moment(at + dice.uniform(0.2, 4), f"{name} is cancelled", _cancels(name)))
        elif fate < 0.14 and workflow == STEADY:
            deleted.add(name)
            moments.append(Moment(at + dice.uniform(0.2, 4), f"{name} is deleted", _deletes(name)))
    return moments, expected, deleted


def _disturbed(dice: random.Random, chosen: list[Disturbance]) -> list[Moment]:
    """Beginnings and ends; of what hits the same thing, one after the other."""
    moments: list[Moment] = []
    free_at: dict[str, float] = {}
    for one in chosen:
        begins = max(dice.uniform(0.3, 9), free_at.get(one.hits, 0.0))
        ends = begins + dice.uniform(*one.lasts)
        free_at[one.hits] = ends + 0.5
        ending: list[End] = []
        moments.append(Moment(begins, one.name, _begins(one, ending)))
        moments.append(Moment(ends, f"no more: {one.name}", _ends(ending)))
    return moments


def _begins(one: Disturbance, ending: list[End]) -> Act:
    return lambda site: ending.append(one.begin(site))


def _ends(ending: list[End]) -> Act:
    return lambda site: ending.pop()()


# -- what the user does -------------------------------------------------------------------------------------------------
def _starts(workflow: str, name: str) -> Act:
    def start(site: Site) -> None:
        spec = {"input": {"workflow": workflow, "environment": "local", "payload": {"n": name}}}
        metadata = {"name": name, "namespace": site.space.namespace}
        obj: Obj = {"apiVersion": API_VERSION, "kind": "WorkflowRun", "metadata": metadata, "spec": spec}
        site.user.ask(lambda: site.space.store.create(obj))

    return start


def _cancels(name: str) -> Act:
    return lambda site: site.user.ask(lambda: site.space.cancel(name))


def _deletes(name: str) -> Act:
    def delete(site: Site) -> None:
        ref = Ref(kinds.WORKFLOW_RUN, site.space.namespace, name)

        def gone() -> None:
            try:
                site.space.store.delete(ref)
            except NotFound:
                return

        site.user.ask(gone)

    return delete


def publish(site: Site, workflow: str, number: int, wait: str) -> None:
    """Write a draft that becomes the version of this number."""
    site.user.ask(lambda: site.space.apply_workflow(workflow, "", steps=steps(number, wait)))


def steps(number: int, wait: str) -> list[dict[str, Any]]:
    """Four steps with two branches, in which attempts fail: one often, with a longer pause, so that a run takes its time."""
    join = "output = {'by': steps['first']['output']['by'], 'flaky': steps['flaky']['output']}"
    return [
        {"name": "first", "action": {"python": {"code": f"output = {{'by': {number}, 'n': payload['n']}}"}}},
        _failing("pause", 2, wait),
        _failing("flaky", 1, "100ms"),
        {"name": "last", "needs": ["pause", "flaky"], "action": {"python": {"code": join}}},
    ]


def _failing(name: str, of_three: int, pause: str) -> dict[str, Any]:
    """A step that fails so many times of three by chance, with so long a pause before the next attempt."""
    code = f"import uuid\nif uuid.uuid4().int % 3 < {of_three}: raise RuntimeError('not this time')\noutput = 1"
    retry = {"limit": 60, "backoff": {"duration": pause, "factor": 1}}
    return {"name": name, "needs": ["first"], "retry": retry, "action": {"python": {"code": code}}}


# -- playing it ---------------------------------------------------------------------------------------------------------
def play(story: Scenario, site: Site) -> None:
    """All of it, until everything is quiet. Fails if that takes too long."""
    if story.skew_s and site.kubelet:
        site.kubelet.skew(story.skew_s)
    site.user.ask(lambda: site.space.apply_rollout(WALKING, percent=story.percent))
    for workflow in (WALKING, STEADY):
        publish(site, workflow, 1, story.wait)
    site.wait(lambda: all(_live(site, name, 1) for name in (WALKING, STEADY)), "v1 is published", patience_s=CALM_S)
    site.begun = began = _now()
    for moment in story.moments:
        while _now() - began < moment.at:
            site.look_after()
            site.pass_time()
        site.say(moment.what)
        moment.act(site)
    site.say("nothing is disturbed any more")
    _calm(site)
    site.wait(lambda: site.user.is_done, "the user's wishes are taken", patience_s=CALM_S)
    site.wait(lambda: _all_ended(story, site), "all runs have ended", patience_s=CALM_S)
    site.wait(lambda: _live(site, WALKING, 2), "v2 is published", patience_s=CALM_S)
    site.wait(lambda: not (site.space.jobs() or site.space.pods()), "no Job and no pod is left", patience_s=CALM_S)
    site.wait(lambda: all(one.is_ready for one in site.replicas), "all replicas are ready", patience_s=CALM_S)
    site.wait(lambda: site.knows_leader, "one of them leads", patience_s=CALM_S)
    site.say("all is quiet")


def _calm(site: Site) -> None:
    """All parts run, whatever ended meanwhile."""
    for part in (site.plane.etcd, site.plane.apiserver, site.plane.controller_manager):
        start(part)
    for replica in site.replicas:
        replica.run()


def _all_ended(story: Scenario, site: Site) -> bool:
    runs = {
        run["metadata"]["name"]: run for run in site.space.store.list(kinds.WORKFLOW_RUN, site.space.namespace).items
    }
    missing = (story.expected.keys() - story.deleted) - runs.keys()
    assert not missing, f"runs that were accepted are gone: {missing}"
    there = [run for name, run in runs.items() if name not in story.deleted]
    return all((run.get("status") or {}).get("endedAt") for run in there)


def _live(site: Site, workflow: str, number: int) -> bool:
    """Whether a version takes runs, or would if its share were not 0."""
    status = site.space.store.get(Ref(kinds.WORKFLOW, site.space.namespace, workflow)).get("status") or {}
    rollout = status.get("rollout") or {}
    return any((rollout.get(part) or {}).get("number") == number for part in ("stable", "candidate"))


def _now() -> float:
    return time.monotonic()
