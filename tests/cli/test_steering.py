from __future__ import annotations

from typing import Any

import pytest

from sluice.api.rollout import RolloutSpec, RolloutStatus
from sluice.cli import steering
from sluice.cli.failures import Failed, Wrong
from sluice.cli.steering import Course

STABLE = {"number": 6, "version": "v6", "digest": "sha256:" + "6" * 64}
CANDIDATE = {"number": 7, "version": "v7", "digest": "sha256:" + "7" * 64}
STEPS = [{"percent": 5}, {"percent": 50}, {"percent": 100}]


def course(spec: dict[str, Any] | None = None, **candidate: Any) -> Course:
    status = {"stable": STABLE, "candidate": CANDIDATE | candidate, "percent": "25"}
    return Course("support", RolloutStatus.model_validate(status), RolloutSpec.model_validate(spec or {"steps": STEPS}))


IDLE = Course("support", RolloutStatus.model_validate({"stable": STABLE}), RolloutSpec.model_validate({"percent": 10}))


def test_a_stop_is_about_the_attempt_that_runs() -> None:
    wanted = steering.stop(course(attempt=3), "5xx")
    assert wanted.spec == {"stops": {"v7": {"attempt": 3, "reason": "5xx"}}}
    assert wanted.told == "v7 stops: new runs go to v6"


def test_stopping_twice_changes_nothing() -> None:
    assert steering.stop(course(stopped=True), "").spec == {}


def test_a_hold_is_an_entry_of_its_own() -> None:
    assert steering.hold(course(), "").spec == {"holds": {"v7": {}}}


def test_resuming_ends_holds_and_overrides_by_either_key() -> None:
    spec = {"steps": STEPS, "holds": {"v7": {}, "v6": {}}, "overrides": {"d-777777777777": {"percent": 5}}}
    assert steering.resume(course(spec)).spec == {"holds": {"v7": None}, "overrides": {"d-777777777777": None}}
    assert steering.resume(course()).spec == {}


def test_advancing_promotes_to_the_next_step() -> None:
    wanted = steering.advance(course(step=1))
    assert wanted.spec == {"promotions": {"v7": {"step": 2}}}
    assert wanted.told == "v7 goes on to step 2 (100 %)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (course({"percent": 25}), "has no steps; `sluice rollout set support --percent N`"),
        (course(step=2), "v7 is at the last step, 100 %"),
        (course({"steps": STEPS, "holds": {"v7": {}}}), "held by hand; `sluice rollout resume support` first"),
        (course(stopped=True, stopMessage="by ana"), "v7 is stopped: by ana; `sluice rollout retry support`"),
        (IDLE, "support has no version that is taking over: v6 takes all runs"),
    ],
)
def test_what_can_not_advance_says_why_and_what_to_do(given: Course, message: str) -> None:
    with pytest.raises(Failed, match=message):
        steering.advance(given)


def test_a_retry_asks_for_an_attempt_that_was_not_spent() -> None:
    assert steering.retry(course(stopped=True, attempt=2, spentRetry=3)).spec == {"retries": {"v7": {"attempt": 4}}}
    with pytest.raises(Failed, match="v7 is not stopped"):
        steering.retry(course())


def test_a_stop_of_later_attempts_bars_the_retry() -> None:
    spec = {"steps": STEPS, "stops": {"v7": {"attempt": 9}}}
    with pytest.raises(Failed, match=r"spec\.stops\.v7 stops attempt 2 as well"):
        steering.retry(course(spec, stopped=True))


def test_setting_a_percentage_overrides_the_candidates_steps() -> None:
    assert steering.set_percent(course(), "12.5").spec == {"overrides": {"v7": {"percent": "12.5"}}}


def test_without_a_candidate_the_percentage_is_for_those_to_come() -> None:
    assert steering.set_percent(IDLE, "30").spec == {"percent": 30}
    walking = Course("support", IDLE.status, RolloutSpec.model_validate({"steps": STEPS}))
    with pytest.raises(Failed, match="goes by steps and nothing is taking over"):
        steering.set_percent(walking, "30")


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("100", 100), ("0.50", "0.5"), ("25.00", 25)])
def test_percentages_are_spelled_as_manifests_spell_them(text: str, value: int | str) -> None:
    assert steering.wire_percent(text) == value


@pytest.mark.parametrize("text", ["101", "-1", "a", "1.234", ""])
def test_what_is_no_percentage_is_wrong_input(text: str) -> None:
    with pytest.raises(Wrong, match="--percent"):
        steering.wire_percent(text)


def test_a_rollout_of_its_own_copies_the_policy_without_its_requests() -> None:
    policy = {"spec": {"steps": STEPS, "onNoData": "Stop", "stops": {"v7": {}}, "holds": {"v1": {}}}}
    made = steering.own_rollout("support", policy)
    assert made["spec"] == {"steps": STEPS, "onNoData": "Stop"}
    assert made["metadata"] == {"name": "support"}
    assert steering.own_rollout("support", None)["spec"] == {"percent": 100}
