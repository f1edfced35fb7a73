"""What people ask for: stop, hold, override, promotion, retry, in this precedence (R042, C27)."""

from __future__ import annotations

import pytest

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import RolloutPhase
from tests.domain.rollouts.builders import Stage, digest, steps, version

WALK = steps({"percent": 5, "pause": {}}, {"percent": 50, "pause": {}}, {"percent": 100})


@pytest.fixture
def stage() -> Stage:
    stage = Stage({**WALK})
    stage.publish(version(1))
    stage.publish(version(2))
    return stage


def states(stage: Stage) -> dict[tuple[str, str], str]:
    return {(request.kind, request.key): request.state for request in stage.status.requests}


def test_a_stop_sends_every_new_run_to_the_stable_version(stage):
    plan = stage.ask(stops={"v2": {"reason": "5xx"}})
    assert (stage.status.phase, stage.status.percent, stage.stable) == (RolloutPhase.STOPPED, "0", 1)
    assert stage.outcomes == {1: "Completed", 2: "Stopped"}
    assert [event.reason for event in plan.events] == [Reason.STOPPED_BY_HAND]


def test_taking_the_stop_away_does_not_start_the_candidate_again(stage):
    stage.ask(stops={"v2": {}})
    stage.spec.pop("stops")
    stage.plan()
    assert stage.status.phase is RolloutPhase.STOPPED


def test_a_retry_starts_a_stopped_candidate_again_without_a_new_version(stage):
    stage.ask(promotions={"v2": {"step": 1}})
    stage.ask(stops={"v2": {}})
    stopped_in = stage.status.revision
    stage.ask(retries={"v2": {"attempt": 2}}, promotions={"v2": {"step": 0}})
    assert (stage.candidate, stage.status.step, stage.status.percent) == (2, 0, "5")
    assert stage.status.revision > stopped_in
    assert [(entry.number, entry.attempt) for entry in stage.status.history][:2] == [(2, 2), (2, 1)]


def test_a_stop_of_the_retried_attempt_wins_over_the_retry(stage):
    stage.ask(stops={"v2": {"attempt": 2}})
    stage.ask(retries={"v2": {"attempt": 2}})
    assert stage.status.phase is RolloutPhase.STOPPED
    assert states(stage)["retry", "v2"] == "Waiting"


def test_a_retry_that_comes_while_the_candidate_runs_does_not_undo_the_next_stop(stage):
    stage.ask(retries={"v2": {"attempt": 2}})
    assert stage.status.candidate.attempt == 1
    stage.ask(stops={"v2": {}})
    assert stage.status.phase is RolloutPhase.STOPPED
    assert "attempt 3" in stage.condition(ConditionType.HELD_BY_HAND)[2]
    stage.ask(retries={"v2": {"attempt": 3}})
    assert stage.status.percent == "5"


def test_a_late_stop_for_an_earlier_attempt_is_harmless(stage):
    stage.ask(stops={"v2": {}})
    stage.ask(retries={"v2": {"attempt": 2}})
    assert stage.plan().changed is False
    assert states(stage)["stop", "v2"] == "Done"


def test_a_hold_keeps_the_walk_and_the_percentage_where_they_are(stage):
    stage.ask(holds={"v2": {"reason": "wait for Ana"}})
    stage.ask(promotions={"v2": {"step": 2}}, overrides={"v2": {"percent": 90}})
    assert (stage.status.percent, stage.status.phase) == ("5", RolloutPhase.HELD)
    assert states(stage) == {("hold", "v2"): "InForce", ("override", "v2"): "Waiting", ("promotion", "v2"): "Waiting"}


def test_a_hold_written_before_its_version_keeps_it_at_zero():
    stage = Stage({"percent": 100, "holds": {"v2": {}}})
    stage.publish(version(1))
    assert states(stage)["hold", "v2"] == "Waiting"
    stage.publish(version(2))
    assert (stage.stable, stage.candidate, stage.status.percent) == (1, 2, "0")


def test_an_override_takes_the_place_of_the_steps(stage):
    stage.ask(promotions={"v2": {"step": 1}}, overrides={"v2": {"percent": "7.5"}})
    assert (stage.status.percent, stage.status.step) == ("7.5", 0)
    stage.spec.pop("overrides")
    stage.plan()
    assert (stage.status.percent, stage.status.step) == ("50", 1)


def test_an_override_to_100_ends_the_walk(stage):
    stage.ask(overrides={"v2": {"percent": 100}})
    assert (stage.stable, stage.candidate) == (2, 0)
    assert states(stage)["override", "v2"] == "Done"


def test_a_stop_wins_over_everything(stage):
    stage.ask(holds={"v2": {}}, overrides={"v2": {"percent": 90}}, promotions={"v2": {"step": 2}}, stops={"v2": {}})
    assert (stage.status.phase, stage.status.percent) == (RolloutPhase.STOPPED, "0")


def test_a_promotion_may_pass_several_steps_and_repeating_it_is_harmless(stage):
    stage.ask(promotions={"v2": {"step": 1}})
    assert (stage.status.step, stage.plan().changed) == (1, False)
    stage.ask(promotions={"v2": {"step": 2}})
    assert stage.stable == 2


def test_a_key_by_digest_means_the_content(stage):
    stage.ask(stops={f"d-{digest(2)[7:19]}": {}})
    assert stage.status.phase is RolloutPhase.STOPPED


def test_requests_for_other_versions_change_nothing(stage):
    before = stage.status.model_copy(deep=True)
    stage.ask(stops={"v1": {}, "v9": {}, "d-ffffffffffff": {}}, holds={"v1": {}})
    assert (stage.status.percent, stage.status.revision) == (before.percent, before.revision)
    assert states(stage) == {
        ("hold", "v1"): "Done",
        ("stop", "v1"): "Done",
        ("stop", "v9"): "Waiting",
        ("stop", "d-ffffffffffff"): "Waiting",
    }


def test_a_key_of_a_version_that_was_never_approved_is_unknown():
    stage = Stage({"percent": 10, "stops": {"v2": {}}})
    stage.publish(version(1))
    stage.publish(version(3))
    assert states(stage)["stop", "v2"] == "Unknown"
