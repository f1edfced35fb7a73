"""What a gate says of the candidate's runs: no data is never a pass."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from sluice.api.rollout import Gate
from sluice.domain.rollouts.facts import EnvironmentFacts
from sluice.domain.rollouts.gates import Failed, Passed, Waiting, evaluate, judged_environments
from sluice.domain.routing.dealing import GateSample
from sluice.domain.timestamps import to_micros
from tests.domain.rollouts.builders import START

HOUR = dt.timedelta(hours=1)


def gate(**fields: object) -> Gate:
    return Gate.model_validate({"minRuns": 20, "maxFailureRate": 10, **fields})


def verdict(sample: GateSample, *, after: dt.timedelta = HOUR, **fields: object) -> Passed | Failed | Waiting:
    return evaluate(gate(**fields), {"production": sample}, START, START + after)


def started(ago: dt.timedelta) -> int:
    return to_micros(START + HOUR - ago)


def test_enough_good_runs_pass():
    assert isinstance(verdict(GateSample(started=20, succeeded=18, failed=2)), Passed)


def test_no_run_at_all_waits():
    assert isinstance(verdict(GateSample()), Waiting)


def test_too_few_runs_wait_however_good():
    assert isinstance(verdict(GateSample(started=19, succeeded=19)), Waiting)


def test_a_run_of_the_sample_that_has_not_ended_is_waited_for():
    sample = GateSample(started=20, succeeded=19, open_starts=(started(dt.timedelta(minutes=1)),))
    assert isinstance(verdict(sample), Waiting)


def test_a_slow_run_counts_as_failed():
    sample = GateSample(started=20, succeeded=19, open_starts=(started(dt.timedelta(minutes=10)),))
    assert isinstance(verdict(sample, slow="5m", maxFailureRate=0), Failed)
    assert isinstance(verdict(sample, slow="5m"), Passed)


def test_twice_the_stable_versions_p95_is_slow_unless_said():
    sample = GateSample(started=1, open_starts=(started(dt.timedelta(seconds=11)),), stable_p95=5_000_000)
    assert isinstance(verdict(sample, minRuns=1), Failed)
    assert isinstance(verdict(sample, minRuns=1, slow="12s"), Waiting)


def test_a_gate_looks_again_when_a_run_gets_slow():
    sample = GateSample(started=1, open_starts=(started(dt.timedelta(seconds=58)),))
    waiting = verdict(sample, minRuns=1, slow="1m")
    assert waiting.look_again - (START + HOUR) == dt.timedelta(seconds=2, microseconds=1)


def test_a_failure_that_no_run_can_undo_fails_at_once():
    assert isinstance(verdict(GateSample(started=3, failed=3)), Failed)
    assert isinstance(verdict(GateSample(started=3, failed=2)), Waiting)


def test_without_a_bound_no_failure_is_allowed():
    only = Gate.model_validate({"minRuns": 20})
    sample = {"production": GateSample(started=20, succeeded=19, failed=1)}
    assert isinstance(evaluate(only, sample, START, START + HOUR), Failed)


def test_the_rate_may_be_compared_to_stable():
    sample = GateSample(started=20, succeeded=17, failed=3, stable_ended=100, stable_failed=10)
    assert isinstance(verdict(sample, maxFailureRate=None, comparedToStable=5), Passed)
    assert isinstance(verdict(sample, maxFailureRate=None, comparedToStable="4.99"), Failed)


def test_errors_fail_when_they_are_three_and_a_larger_share_than_on_stable():
    few = GateSample(started=20, succeeded=20, errors=2)
    more = GateSample(started=20, succeeded=20, errors=3, stable_ended=100)
    alike = GateSample(started=20, succeeded=20, errors=3, stable_ended=80, stable_errors=20)
    assert [type(verdict(sample)) for sample in (few, more, alike)] == [Passed, Failed, Passed]


def test_each_environment_is_judged_by_itself():
    good, bad = GateSample(started=20, succeeded=20), GateSample(started=20, succeeded=10, failed=10)
    failed = evaluate(gate(), {"eu": good, "us": bad}, START, START)
    assert isinstance(failed, Failed)
    assert failed.message.startswith("us: 10 of 20")
    assert isinstance(evaluate(gate(), {"eu": good, "us": GateSample()}, START, START), Waiting)


def test_without_any_environment_a_gate_waits():
    assert isinstance(evaluate(gate(), {}, START, START), Waiting)


def test_a_gate_that_will_not_be_done_in_time_starves_and_says_when_it_would_be():
    sample = GateSample(started=10, succeeded=10, rate_per_hour=1.0)
    waiting = verdict(sample, maxWait="6h")
    assert "10 more are needed, expected by 2026-03-01T19:00:00Z" in waiting.starving
    assert verdict(sample, maxWait="20h").starving == ""
    assert "none start" in verdict(GateSample()).starving
    assert verdict(GateSample(), after=dt.timedelta(minutes=1)).starving == ""


def test_max_wait_expires_to_the_second():
    assert not verdict(GateSample(), maxWait="61m").expired
    assert verdict(GateSample(), maxWait="1h").expired


def test_active_production_environments_are_judged_else_the_active_ones_else_all():
    def named(**kinds: tuple[bool, bool]) -> list[str]:
        facts = [EnvironmentFacts(name, production, active) for name, (production, active) in kinds.items()]
        return judged_environments(gate(), facts)

    assert named(eu=(True, True), us=(True, False), dev=(False, True)) == ["eu"]
    assert named(us=(True, False), dev=(False, True)) == ["dev"]
    assert named(us=(True, False), dev=(False, False)) == ["dev", "us"]
    assert judged_environments(gate(environments=["qa"]), []) == ["qa"]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5), st.integers(0, 100))
def test_a_pass_always_has_enough_runs_within_the_bound(succeeded: int, failed: int, running: int, bound: int):
    sample = GateSample(succeeded + failed + running, succeeded, failed, open_starts=(to_micros(START),) * running)
    found = verdict(sample, maxFailureRate=bound)
    if isinstance(found, Passed):
        assert succeeded + failed >= 20
        assert not running
        assert failed * 100 <= bound * (succeeded + failed)
