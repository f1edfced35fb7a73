"""A publish in the middle of a rollout, and returns to what was stable (R050, R053)."""

from __future__ import annotations

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import RolloutPhase
from tests.domain.rollouts.builders import Stage, steps, version

WALK = steps({"percent": 5, "pause": {}}, {"percent": 100})


def walking(**more: object) -> Stage:
    stage = Stage({**WALK, **more})
    stage.publish(version(1))
    stage.publish(version(2))
    return stage


def finish(stage: Stage) -> None:
    stage.ask(promotions={f"v{stage.candidate}": {"step": 1}})


def test_a_publish_in_mid_walk_supersedes_the_candidate_and_keeps_the_stable_version():
    stage = walking()
    stage.publish(version(3))
    assert (stage.stable, stage.candidate, stage.status.percent) == (1, 3, "5")
    assert stage.outcomes == {1: "Completed", 2: "Superseded", 3: "Progressing"}


def test_three_supersessions_in_a_row_say_that_candidates_starve():
    stage = walking()
    stage.publish(version(3), version(4))
    assert stage.condition(ConditionType.CANDIDATE_STARVED) is None
    stage.publish(version(5))
    assert stage.condition(ConditionType.CANDIDATE_STARVED)[:2] == ("True", Reason.SUPERSEDED_THRICE)
    finish(stage)
    stage.publish(version(6))
    assert stage.condition(ConditionType.CANDIDATE_STARVED) is None


def test_with_queue_the_next_version_waits_until_this_one_is_through():
    stage = walking(onSupersede="Queue")
    stage.publish(version(3))
    assert (stage.candidate, stage.status.queued.number) == (2, 3)
    finish(stage)
    assert (stage.stable, stage.candidate, stage.status.queued) == (2, 3, None)


def test_a_stopped_candidate_is_through_too():
    stage = walking(onSupersede="Queue")
    stage.publish(version(3))
    stage.ask(stops={"v2": {}})
    assert (stage.stable, stage.candidate, stage.status.percent) == (1, 3, "5")


def test_only_the_newest_version_waits_in_the_queue():
    stage = walking(onSupersede="Queue")
    stage.publish(version(3), version(4))
    assert stage.status.queued.number == 4
    assert stage.outcomes[3] == "Superseded"


def test_the_next_publish_after_a_stop_starts_a_walk_and_counts_no_supersession():
    stage = walking()
    stage.ask(stops={"v2": {}})
    stage.publish(version(3))
    assert (stage.candidate, stage.status.percent, stage.status.supersessions) == (3, "5", 0)
    assert stage.outcomes[2] == "Stopped"


def test_a_return_to_what_was_stable_lately_takes_all_runs_at_once():
    stage = walking()
    finish(stage)
    stage.now = stage.now.replace(day=20)
    stage.publish(version(3, content=1))
    assert (stage.stable, stage.candidate) == (3, 0)


def test_a_return_after_fast_revert_walks_like_a_new_version():
    stage = walking(fastRevert="1d")
    finish(stage)
    stage.after(days=2)
    stage.publish(version(3, content=1))
    assert (stage.stable, stage.candidate, stage.status.percent) == (2, 3, "5")


def test_a_fast_return_does_not_wait_in_the_queue():
    stage = walking(onSupersede="Queue")
    finish(stage)
    stage.publish(version(3))
    stage.publish(version(4, content=1))
    assert (stage.stable, stage.candidate) == (4, 0)


def test_going_back_to_the_stable_content_in_mid_walk_takes_all_runs():
    stage = walking()
    stage.publish(version(3, content=1))
    assert (stage.stable, stage.candidate, stage.status.percent) == (3, 0, "100")


def test_a_revert_may_ask_where_its_rollout_starts():
    stage = walking()
    finish(stage)
    stage.publish(version(3, content=1, percent=10))
    assert (stage.stable, stage.candidate, stage.status.percent) == (2, 3, "10")


def test_a_stop_written_before_a_fast_return_still_wins():
    stage = walking()
    finish(stage)
    stage.spec["stops"] = {"v3": {}}
    stage.publish(version(3, content=1))
    assert (stage.stable, stage.status.phase, stage.status.percent) == (2, RolloutPhase.STOPPED, "0")


def test_deleting_the_rollout_in_mid_walk_is_a_stop():
    stage = walking()
    stage.spec = None
    stage.plan()
    assert (stage.stable, stage.status.phase, stage.status.percent) == (1, RolloutPhase.STOPPED, "0")
    assert stage.status.candidate.stop_reason == Reason.ROLLOUT_DELETED
    stage.publish(version(3))
    assert (stage.stable, stage.candidate) == (3, 0)


def test_deleting_the_rollout_opens_nothing_for_what_waited():
    stage = walking(onSupersede="Queue")
    stage.publish(version(3))
    stage.spec = None
    stage.plan()
    assert (stage.stable, stage.candidate, stage.status.percent, stage.status.queued) == (1, 3, "0", None)


def test_a_rollout_made_again_leaves_the_stop_until_a_retry():
    stage = walking()
    stage.spec = None
    stage.plan()
    stage.spec = {**WALK}
    stage.plan()
    assert stage.status.phase is RolloutPhase.STOPPED
    stage.ask(retries={"v2": {"attempt": 2}})
    assert (stage.candidate, stage.status.percent) == (2, "5")
