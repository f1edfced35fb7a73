"""Whatever happens in whatever order, what must always hold of a rollout holds (rules 6, 8, 11 and 14)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.api.rollout import RolloutPhase, RolloutStatus
from sluice.domain.rollouts.facts import VersionFacts
from sluice.domain.routing.dealing import GateSample
from sluice.domain.routing.quota import percent_hundredths
from sluice.domain.routing.split import split_for
from tests.domain.rollouts.builders import Stage, version

PERCENT = st.sampled_from([0, 1, 5, "0.5", "12.25", 50, 99, 100])
STEP = st.fixed_dictionaries(
    {"percent": PERCENT},
    optional={
        "pause": st.sampled_from([{}, {"duration": "10m"}, {"duration": "1s"}]),
        "gate": st.sampled_from([{"minRuns": 2, "maxFailureRate": 50, "maxWait": "1h"}, {"minRuns": 1}]),
    },
)
SHAPE = st.one_of(
    st.fixed_dictionaries({"percent": PERCENT}),
    st.fixed_dictionaries({"steps": st.lists(STEP, min_size=1, max_size=4)}),
)
POLICY = st.fixed_dictionaries(
    {},
    optional={
        "onSupersede": st.sampled_from(["Restart", "Queue"]),
        "onGateFailure": st.sampled_from(["Stop", "Hold"]),
        "onNoData": st.sampled_from(["Hold", "Stop"]),
        "fastRevert": st.sampled_from(["30d", "1m"]),
    },
)
KEY = st.integers(0, 1)
REQUEST = st.one_of(
    st.tuples(st.just("stops"), st.fixed_dictionaries({"attempt": st.integers(1, 3)})),
    st.tuples(st.just("holds"), st.just({})),
    st.tuples(st.just("overrides"), st.fixed_dictionaries({"percent": PERCENT})),
    st.tuples(st.just("promotions"), st.fixed_dictionaries({"step": st.integers(0, 4)})),
    st.tuples(st.just("retries"), st.fixed_dictionaries({"attempt": st.integers(2, 4)})),
)
ACTION = st.one_of(
    st.tuples(st.just("publish"), st.integers(1, 6)),
    st.tuples(st.just("wait"), st.sampled_from([1, 60, 600, 7200])),
    st.tuples(st.just("ask"), st.tuples(KEY, REQUEST)),
    st.tuples(st.just("withdraw"), st.sampled_from(["stops", "holds", "overrides", "retries"])),
    st.tuples(st.just("edit"), SHAPE),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("runs"), st.tuples(st.integers(0, 3), st.integers(0, 3))),
)


def act(stage: Stage, kind: str, what: Any) -> None:
    if kind == "publish":
        stage.versions.append(version(len(stage.versions) + 1, content=what))
    elif kind == "wait":
        stage.after(seconds=what)
    elif kind == "runs":
        succeeded, failed = what
        stage.samples["production"] = GateSample(succeeded + failed, succeeded, failed)
    elif kind == "delete":
        stage.spec = None
    elif kind == "edit":
        kept = {key: value for key, value in (stage.spec or {}).items() if key not in {"percent", "steps"}}
        stage.spec = {**kept, **what}
    elif stage.spec is not None and kind == "withdraw":
        stage.spec.pop(what, None)
    elif stage.spec is not None and kind == "ask":
        ahead, (field, entry) = what
        key = f"v{len(stage.versions) + ahead}" if stage.versions else "v1"
        stage.spec[field] = {**stage.spec.get(field, {}), key: entry}


def check(stage: Stage, before: RolloutStatus) -> None:
    status = stage.status
    split = split_for(status)
    taking = {split.stable, split.candidate if split.hundredths else 0} - {0}
    assert len(taking) <= 2
    assert 0 <= percent_hundredths(status.percent) <= 10_000
    assert status.revision >= before.revision
    if stage.versions:
        assert status.stable is not None
        assert status.phase is not RolloutPhase.IDLE
    if status.candidate is not None:
        assert status.candidate.number > status.stable.number
        assert status.percent != "100"
        if status.candidate.stopped:
            assert taking == {status.stable.number}
    if before.stable is not None:
        assert status.stable.number >= before.stable.number
    newest = stage.versions[-1].number if stage.versions else 0
    marks = [mark.number for mark in (status.stable, status.candidate, status.queued) if mark]
    assert max(marks, default=0) == newest
    _check_windows(before, status)
    _check_orders(stage)


def _check_windows(before: RolloutStatus, after: RolloutStatus) -> None:
    def window(status: RolloutStatus) -> tuple[object, ...]:
        candidate = status.candidate
        where = (candidate.number, candidate.attempt, candidate.step) if candidate else None
        return (status.stable.number if status.stable else 0, where, status.percent)

    if before.revision:
        assert (after.revision > before.revision) == (window(before) != window(after))


def _check_orders(stage: Stage) -> None:
    """Rule 11: what a person stops is stopped; rule 8: without a Rollout no walk goes on."""
    candidate = stage.status.candidate
    if candidate is None or candidate.stopped:
        return
    assert stage.spec is not None
    stop = stage.spec.get("stops", {}).get(f"v{candidate.number}")
    assert stop is None or stop["attempt"] < candidate.attempt


@settings(max_examples=150, deadline=None)
@given(SHAPE, POLICY, st.lists(ACTION, min_size=1, max_size=25))
def test_every_sequence_keeps_the_invariants_and_planning_twice_changes_nothing(
    shape: dict[str, Any], policy: dict[str, Any], actions: list[tuple[str, Any]]
):
    stage = Stage({**shape, **policy})
    for kind, what in actions:
        before = stage.status
        act(stage, kind, what)
        stage.plan()
        check(stage, before)
        again = stage.plan()
        assert (again.changed, again.events) == (False, ())


@settings(max_examples=100, deadline=None)
@given(SHAPE, POLICY, st.lists(ACTION, min_size=1, max_size=15))
def test_a_lost_status_is_rebuilt_with_no_version_opened_further(
    shape: dict[str, Any], policy: dict[str, Any], actions: list[tuple[str, Any]]
):
    stage = Stage({**shape, **policy})
    for kind, what in actions:
        act(stage, kind, what)
        stage.plan()
    if stage.spec is None:
        return
    lost = stage.status
    stage.versions = [_remembering(found, lost) for found in stage.versions]
    stage.spec.pop("overrides", None)
    stage.spec.pop("retries", None)
    stage.plan()
    kept = stage.status
    stage.status, stage.known_revision = RolloutStatus(), kept.revision
    stage.plan()
    assert stage.stable >= 1 if stage.versions else stage.stable == 0
    if kept.candidate is not None and kept.candidate.stopped:
        assert stage.status.percent in {"0", "100"}
        assert stage.candidate == kept.candidate.number
    if kept.candidate is None and kept.stable is not None:
        assert stage.stable == kept.stable.number


def _remembering(found: VersionFacts, status: RolloutStatus) -> VersionFacts:
    """As the versions' own statuses would say after this status."""
    for entry in status.history:
        if entry.number == found.number and entry.outcome != "Progressing":
            return VersionFacts(found.number, found.name, found.digest, found.percent, entry.outcome)
    return found
