"""How a candidate walks its steps, and what editing them in mid-walk does (R038 to R041)."""

from __future__ import annotations

import datetime as dt

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import RolloutPhase
from tests.domain.rollouts.builders import Stage, steps, version

HALF_HOUR = {"percent": 5, "pause": {"duration": "30m"}}
BY_HAND = {"percent": 50, "pause": {}}
ALL = {"percent": 100}


def walking(spec: dict) -> Stage:
    stage = Stage(spec)
    stage.publish(version(1))
    stage.publish(version(2))
    return stage


def test_a_step_lasts_as_long_as_its_pause():
    stage = walking(steps(HALF_HOUR, ALL))
    assert stage.status.percent == "5"
    assert stage.plan().look_again == dt.timedelta(minutes=30)
    stage.after(minutes=29, seconds=59)
    assert stage.status.percent == "5"
    stage.after(seconds=1)
    assert (stage.stable, stage.candidate, stage.status.phase) == (2, 0, RolloutPhase.COMPLETED)


def test_a_pause_shorter_than_a_second_is_kept_to_the_microsecond():
    stage = Stage(steps({"percent": 5, "pause": {"duration": "500ms"}}, ALL))
    stage.now += dt.timedelta(microseconds=900_000)
    stage.publish(version(1))
    stage.publish(version(2))
    stage.after(milliseconds=499)
    assert stage.candidate == 2
    stage.after(milliseconds=1)
    assert stage.stable == 2


def test_a_pause_without_duration_waits_to_be_advanced():
    stage = walking(steps(BY_HAND, ALL))
    stage.after(days=30)
    assert (stage.status.percent, stage.status.phase) == ("50", RolloutPhase.PAUSED)
    assert "sluice rollout advance support" in stage.condition(ConditionType.PROGRESSING)[2]
    stage.ask(promotions={"v2": {"step": 1}})
    assert stage.stable == 2


def test_a_pause_beyond_the_calendar_only_waits():
    stage = walking(
        steps({"percent": 5, "pause": {"duration": "99999999d"}, "gate": {"minRuns": 1, "maxWait": "99999999d"}})
    )
    stage.after(days=1000)
    assert (stage.candidate, stage.status.percent) == (2, "5")


def test_steps_without_pause_or_gate_are_passed_at_once():
    stage = walking(steps({"percent": 1}, {"percent": 10}, BY_HAND))
    assert (stage.status.step, stage.status.percent) == (2, "50")


def test_the_last_step_below_100_percent_is_where_it_stays():
    stage = walking(steps({"percent": 20}))
    assert (stage.candidate, stage.status.percent) == (2, "20")
    assert stage.condition(ConditionType.READY)[:2] == ("True", Reason.AT_PERCENT)


def test_raising_the_percentage_makes_no_new_version_and_a_new_window():
    stage = walking({"percent": 10})
    before = stage.status.revision
    stage.spec = {"percent": "12.5"}
    stage.plan()
    assert (stage.candidate, stage.status.percent, stage.status.revision) == (2, "12.5", before + 1)
    stage.spec = {"percent": 100}
    stage.plan()
    assert (stage.stable, stage.candidate) == (2, 0)


def test_lowering_the_percentage_in_mid_walk_takes_effect_too():
    stage = walking({"percent": 50})
    stage.spec = {"percent": 0}
    stage.plan()
    assert (stage.candidate, stage.status.percent) == (2, "0")


def test_lowering_the_percentage_after_the_end_brings_no_old_version_back():
    stage = walking({"percent": 100})
    stage.spec = {"percent": 10}
    stage.plan()
    assert (stage.stable, stage.candidate, stage.status.percent) == (2, 0, "100")


def test_shorter_steps_in_mid_walk_put_the_candidate_on_the_last_one():
    stage = walking(steps({"percent": 1}, {"percent": 10}, BY_HAND, ALL))
    stage.spec = steps(HALF_HOUR, {"percent": 20, "pause": {}})
    stage.plan()
    assert (stage.status.step, stage.status.percent) == (1, "20")


def test_a_changed_percentage_begins_the_pause_of_its_step_anew():
    stage = walking(steps(HALF_HOUR, ALL))
    stage.now += dt.timedelta(minutes=20)
    stage.spec = steps({**HALF_HOUR, "percent": 10}, ALL)
    stage.plan()
    stage.after(minutes=29)
    assert stage.status.percent == "10"
    stage.after(minutes=1)
    assert stage.stable == 2


def test_the_revision_rises_only_with_what_a_window_counts():
    stage = walking(steps(HALF_HOUR, BY_HAND, ALL))
    revision = stage.status.revision
    stage.ask(holds={"v2": {}})
    assert stage.status.revision == revision
    stage.spec.pop("holds")
    stage.after(minutes=30)
    assert stage.status.revision == revision + 1
