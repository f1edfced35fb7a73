"""Gates within a walk: a failure stops the rollout by itself and says why; no data decides at ``maxWait``."""

from __future__ import annotations

import datetime as dt

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import RolloutPhase
from sluice.domain.routing.dealing import GateSample
from tests.domain.rollouts.builders import Stage, steps, version

GATE = {"minRuns": 20, "maxFailureRate": 2, "maxWait": "6h"}
GOOD = GateSample(started=20, succeeded=20)
BAD = GateSample(started=20, succeeded=10, failed=10)


def gated(pause: str | None = None, **more: object) -> Stage:
    first = {"percent": 5, "gate": GATE, **({"pause": {"duration": pause}} if pause else {})}
    stage = Stage(steps(first, {"percent": 50, "pause": {}}, {"percent": 100}, **more))
    stage.publish(version(1))
    stage.publish(version(2))
    return stage


def test_a_gate_without_data_keeps_the_step():
    stage = gated()
    assert (stage.status.step, stage.status.percent) == (0, "5")
    assert stage.condition(ConditionType.PROGRESSING)[:2] == ("True", Reason.WAITING_FOR_GATE)
    assert stage.plan().look_again == dt.timedelta(seconds=10)


def test_a_passed_gate_lets_the_walk_go_on():
    stage = gated()
    stage.samples["production"] = GOOD
    stage.plan()
    assert (stage.status.step, stage.status.percent) == (1, "50")


def test_a_gate_asks_for_the_window_in_force_and_the_stable_version():
    stage = gated()
    stage.plan()
    assert stage.asked[-1] == ("production", stage.status.revision, 20, 1)


def test_pause_and_gate_must_both_be_through():
    stage = gated(pause="30m")
    stage.samples["production"] = GOOD
    stage.plan()
    assert stage.status.step == 0
    stage.after(minutes=30)
    assert stage.status.step == 1


def test_a_gate_that_fails_while_the_pause_lasts_stops_at_once():
    stage = gated(pause="30m")
    stage.samples["production"] = BAD
    plan = stage.plan()
    assert (stage.status.phase, stage.status.percent) == (RolloutPhase.STOPPED, "0")
    assert [event.reason for event in plan.events] == [Reason.GATE_FAILED]
    assert "production: 10 of 20 runs failed (50 %)" in stage.condition(ConditionType.STALLED)[2]


def test_a_retry_after_a_failed_gate_is_judged_in_a_new_window():
    stage = gated()
    stage.samples["production"] = BAD
    stage.plan()
    window = stage.status.revision
    stage.samples.clear()
    stage.ask(retries={"v2": {"attempt": 2}})
    assert stage.status.percent == "5"
    assert stage.asked[-1][1] > window


def test_on_gate_failure_hold_keeps_the_percentage_until_somebody_promotes():
    stage = gated(onGateFailure="Hold")
    stage.samples["production"] = BAD
    stage.plan()
    assert (stage.status.phase, stage.status.percent) == (RolloutPhase.HELD, "5")
    stage.ask(promotions={"v2": {"step": 1}})
    assert stage.status.percent == "50"


def test_no_data_at_max_wait_holds_and_stays_loud():
    stage = gated()
    stage.after(hours=6)
    assert (stage.status.phase, stage.status.percent) == (RolloutPhase.HELD, "5")
    assert stage.condition(ConditionType.GATE_STARVING)[0] == "True"
    assert stage.condition(ConditionType.STALLED)[1] == Reason.NO_DATA


def test_no_data_at_max_wait_stops_if_so_wanted():
    stage = gated(onNoData="Stop")
    stage.after(hours=6)
    assert stage.status.candidate.stop_reason == Reason.NO_DATA


def test_starving_is_shown_beside_a_pause_too():
    stage = gated(pause="8h")
    stage.after(minutes=15)
    assert stage.condition(ConditionType.PROGRESSING)[1] == Reason.PAUSED_FOR_DURATION
    assert stage.condition(ConditionType.GATE_STARVING)[0] == "True"


def test_a_waiting_gate_does_not_change_the_status_at_every_look():
    stage = gated()
    stage.after(minutes=15)
    assert stage.after(seconds=10).changed is False
