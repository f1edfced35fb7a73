"""What serves (C2, C3, C24, R035, R174, R224, R225), and what becomes of each version."""

from __future__ import annotations

import dataclasses

import pytest

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import Candidate, HistoryEntry, Outcome, RolloutStatus, VersionMark
from sluice.api.workflow import Contains, Phase
from sluice.domain.publishing.serving import workflow_phase
from tests.domain.publishing.builders import Desk, digest


def rollout(stable: int, candidate: int = 0, *, stopped: bool = False, **outcomes: str) -> RolloutStatus:
    return RolloutStatus(
        stable=VersionMark(number=stable, version=f"support-v{stable}", digest=digest("a")),
        candidate=Candidate(number=candidate, version=f"support-v{candidate}", digest=digest("b"), stopped=stopped)
        if candidate
        else None,
        percent="5" if candidate and not stopped else "0",
        history=[
            HistoryEntry(number=int(name[1:]), version=f"support-{name}", outcome=Outcome(outcome))
            for name, outcome in outcomes.items()
        ],
    )


def phases(desk: Desk) -> list[tuple[str, str | None]]:
    desk.settle()
    return [(version.status.phase.value, version.status.outcome) for version in desk.versions]


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ({}, Phase.DRAFT),
        ({"pending": True}, Phase.APPROVAL),
        ({"suspended": True}, Phase.DRAFT),
        ({"live": True}, Phase.DEPLOYED),
        ({"live": True, "pending": True}, Phase.DEPLOYED),
        ({"live": True, "suspended": True}, Phase.PAUSED),
        ({"live": True, "suspended": True, "problem": True}, Phase.FAILED),
    ],
)
def test_the_phase_says_what_serves(facts, phase):
    wanted = {"live": False, "pending": False, "suspended": False, "problem": False, **facts}
    assert workflow_phase(**wanted) is phase


def test_a_paused_draft_stays_a_draft_and_resuming_publishes_nothing():
    desk = Desk()
    desk.publish("a")
    desk.spec = {"suspend": True}
    assert desk.settle().phase is Phase.PAUSED
    assert desk.condition(ConditionType.PAUSED) == ("True", Reason.SUSPENDED)
    desk.spec = {}
    assert (desk.settle().phase, desk.contents) == (Phase.DEPLOYED, ["a"])


def test_the_candidate_is_live_until_it_is_stopped():
    desk = Desk()
    desk.publish("a", "b")
    desk.rollout = rollout(1, 2, v1="Completed", v2="Progressing")
    assert (desk.plan().live, phases(desk)) == ("v2", [("Superseded", "Completed"), ("Live", None)])
    desk.rollout = rollout(1, 2, stopped=True, v1="Completed", v2="Stopped")
    assert (desk.plan().live, phases(desk)) == ("v1", [("Live", "Completed"), ("Stopped", "Stopped")])


def test_a_version_that_waits_for_the_one_before_is_published_and_not_live():
    desk = Desk()
    desk.publish("a", "b", "c")
    desk.rollout = rollout(1, 2, v1="Completed", v2="Progressing")
    assert [phase for phase, _ in phases(desk)] == ["Superseded", "Live", "Published"]


def test_exactly_one_version_is_live():
    desk = Desk()
    desk.publish("a", "b", "c")
    for found in (None, rollout(3), rollout(2, 3), rollout(1, 2)):
        desk.rollout = found
        assert [phase for phase, _ in phases(desk)].count("Live") == 1


def test_a_version_remembers_its_outcome_when_history_does_not():
    desk = Desk()
    desk.publish("a", "b")
    desk.rollout = rollout(2, v1="Stopped", v2="Completed")
    desk.settle()
    desk.rollout = rollout(2)
    assert phases(desk) == [("Stopped", "Stopped"), ("Live", "Completed")]


def test_a_version_in_force_that_can_not_run_is_failed_and_says_why():
    desk = Desk()
    desk.publish("a")
    desk.live_problems = ("steps[0].skill: there is no Skill score",)
    assert desk.settle().phase is Phase.FAILED
    assert desk.condition(ConditionType.STALLED) == ("True", Reason.NOT_EXECUTABLE)


def test_a_candidate_with_another_trigger_shows_that_it_waits():
    desk = Desk()
    desk.publish("a")
    desk.draft = dataclasses.replace(desk.draft, digest=digest("b"), canonical={"trigger": {"api": {}}, "steps": []})
    desk.settle()
    desk.rollout = rollout(1, 2)
    desk.settle()
    assert desk.condition(ConditionType.TRIGGER_PENDING) == ("True", Reason.TRIGGER_DIFFERS)
    for through in (rollout(1, 2, stopped=True), rollout(2)):
        desk.rollout = through
        desk.settle()
        assert desk.condition(ConditionType.TRIGGER_PENDING) is None


def test_the_flags_are_those_of_the_live_version():
    desk = Desk()
    desk.publish("a")
    assert desk.plan().contains == Contains()
    desk.draft = dataclasses.replace(desk.draft, digest=digest("b"), canonical={"steps": [{"name": "a", "agent": {}}]})
    desk.settle()
    desk.rollout = rollout(1)
    assert desk.plan().contains == Contains()
    desk.rollout = rollout(2)
    assert desk.plan().contains == Contains(agent=True)
