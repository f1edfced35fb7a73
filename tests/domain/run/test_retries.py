from __future__ import annotations

from itertools import pairwise

import pytest

from sluice.domain.run.simulation import failed, succeeded
from tests.domain.run.builders import MINUTE, SECOND, START, code, definition, ends, play, starts

HOUR = 60 * MINUTE


def begun(played) -> list[int]:
    """When each attempt began, seconds after the start."""
    return [(event.at - START) // SECOND for event in played.events if event.kind == "StepStarted"]


def test_a_later_attempt_may_succeed_and_all_are_recorded():
    """R266."""
    played = play(definition(code("a", retry={"limit": 2})), {"a": [failed("Exited"), failed("Exited"), succeeded(1)]})
    assert played.body["phase"] == "Succeeded"
    ended = [(event.attempt, event.body["phase"]) for event in played.events if event.kind == "StepEnded"]
    assert ended == [(1, "Failed"), (2, "Failed"), (3, "Succeeded")]


def test_the_limit_counts_retries_after_the_first_attempt():
    played = play(definition(code("a", retry={"limit": 2})), {"a": failed("Exited")})
    assert starts(played) == ["a", "a", "a"]
    assert (played.body["phase"], played.body["failure"]["attempt"]) == ("Failed", 3)


def test_pauses_grow_by_the_factor_up_to_their_bound():
    retry = {"limit": 5, "backoff": {"duration": "10s", "factor": 3, "max": "1m"}}
    played = play(definition(code("a", retry=retry)), {"a": failed("Exited")})
    assert begun(played) == [0, 10, 40, 100, 160, 220]


def test_pauses_are_a_second_doubling_up_to_five_minutes_unless_said():
    played = play(definition(code("a", retry={"limit": 12})), {"a": failed("Exited")})
    moments = begun(played)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_no_retry_starts_later_than_the_longest_duration():
    retry = {"limit": 100, "maxDuration": "15s", "backoff": {"duration": "5s", "factor": 1, "max": "5s"}}
    played = play(definition(code("a", retry=retry)), {"a": failed("Exited")})
    assert begun(played) == [0, 5, 10, 15]


@pytest.mark.parametrize(
    ("outcome", "attempts"),
    [
        (failed("CodeFailed"), 2),
        (failed("HttpStatus", status=503), 2),
        (failed("HttpStatus", status=408), 2),
        (failed("HttpStatus", status=429), 2),
        (failed("HttpUnreachable"), 2),
        (failed("HttpStatus", status=404), 1),
        (failed("HttpStatus", status=400), 1),
        (failed("Rejected"), 1),
        (failed("InvalidInput"), 1),
    ],
)
def test_unless_said_everything_is_tried_again_that_may_change(outcome, attempts):
    assert len(starts(play(definition(code("a", retry={"limit": 1})), {"a": outcome}))) == attempts


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (404, 1)])
def test_a_condition_over_the_error_decides(status, attempts):
    defined = definition(code("a", retry={"limit": 2, "when": "${ error.status >= 500 }"}))
    assert len(starts(play(defined, {"a": failed("HttpStatus", status=status)}))) == attempts


def test_a_condition_sees_the_attempt():
    defined = definition(code("a", retry={"limit": 9, "when": "${ error.attempt < 3 && error.step == 'a' }"}))
    assert len(starts(play(defined, {"a": failed("Exited")}))) == 3


def test_a_condition_without_a_value_ends_the_step():
    defined = definition(code("a", retry={"limit": 2, "when": "${ payload.missing }"}))
    played = play(defined, {"a": failed("Exited", "it left")}, payload={})
    assert starts(played) == ["a"]
    assert "it left; not tried again, retry.when has no value" in played.body["failure"]["message"]


def test_the_idempotency_key_is_the_same_over_attempts_and_different_between_steps():
    keys = []

    def note(attempt):
        keys.append(attempt.work.key)
        return failed("Exited") if len(keys) == 1 else succeeded()

    play(definition(code("a", retry={"limit": 1}), code("b", needs=["a"])), {"a": note, "b": note})
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) == 32


def test_a_timeout_is_that_of_one_attempt():
    defined = definition(code("a", timeout="5s", retry={"limit": 1, "backoff": {"duration": "1s"}}))
    played = play(defined, {"a": [succeeded(took=HOUR), succeeded(took=4 * SECOND)]})
    assert played.body["phase"] == "Succeeded"
    assert begun(played) == [0, 6]


def test_other_steps_go_on_while_one_backs_off():
    defined = definition(
        code("a", retry={"limit": 1, "backoff": {"duration": "1m"}}), code("b"), code("c", needs=["b"])
    )
    played = play(defined, {"a": [failed("Exited"), succeeded()]})
    assert starts(played) == ["a", "b", "c", "a"]
    assert set(ends(played).values()) == {"Succeeded"}
