"""A step failed: nothing new starts, what is in flight finishes or is stopped, waits are withdrawn."""

from __future__ import annotations

from sluice.domain.run.simulation import failed, succeeded
from tests.domain.run.builders import (
    MINUTE,
    SECOND,
    START,
    approval,
    code,
    definition,
    ends,
    goto,
    play,
    reasons,
    starts,
)

DAY = 24 * 60 * MINUTE


def test_steps_in_flight_finish_and_nothing_new_starts():
    """C11."""
    defined = definition(code("bad"), code("slow"), code("after", needs=["slow"]), code("late", needs=["bad"]))
    played = play(defined, {"bad": failed("CodeFailed"), "slow": succeeded(took=SECOND)})
    assert ends(played) == {"bad": "Failed", "slow": "Succeeded", "after": "RunEnding", "late": "UpstreamFailed"}
    assert played.body["failure"]["step"] == "bad"


def test_with_cancel_steps_in_flight_are_stopped():
    defined = definition(code("bad"), code("slow"), failurePolicy="Cancel")
    played = play(defined, {"bad": failed("CodeFailed"), "slow": succeeded(took=SECOND)})
    assert ends(played) == {"bad": "Failed", "slow": "Failed"}
    assert played.events[-1].at == START
    assert reasons(played)["slow"] == "Cancelled"
    assert played.body["failure"]["step"] == "bad"


def test_an_approval_that_waits_is_withdrawn():
    """Example 5."""
    defined = definition(code("bad"), approval("review"), code("pay", needs=["review"]))
    played = play(defined, {"bad": failed("CodeFailed", took=SECOND), "review": succeeded(took=DAY)})
    assert ends(played) == {"bad": "Failed", "review": "Failed", "pay": "RunEnding"}
    assert played.events[-1].at == START + SECOND
    assert played.body["failure"]["step"] == "bad"


def test_a_step_that_backs_off_is_not_tried_again():
    """Example 5."""
    defined = definition(
        code("bad"), code("flaky", retry={"limit": 3, "backoff": {"duration": "1m", "factor": 1, "max": "1m"}})
    )
    played = play(defined, {"bad": failed("CodeFailed", took=SECOND), "flaky": failed("Exited")})
    assert starts(played) == ["bad", "flaky"]
    assert ends(played)["flaky"] == "Failed"
    assert played.body["failure"]["step"] == "bad"


def test_no_retry_of_what_fails_while_the_run_drains():
    """Example 5."""
    defined = definition(code("bad"), code("flaky", retry={"limit": 3}))
    played = play(defined, {"bad": failed("CodeFailed"), "flaky": failed("Exited", took=SECOND)})
    assert starts(played) == ["bad", "flaky"]
    assert not any("retryAt" in event.body for event in played.events)


def test_no_handler_starts_while_the_run_drains():
    """Example 5."""
    defined = definition(code("bad"), code("slow", onError=goto("h")), code("h"))
    played = play(defined, {"bad": failed("CodeFailed"), "slow": failed("Exited", took=SECOND)})
    assert ends(played) == {"bad": "Failed", "slow": "Failed", "h": "RunEnding"}
    assert played.body["failure"]["step"] == "bad"


def test_what_was_gathered_before_a_failure_stays():
    """R136."""
    defined = definition(code("a"), code("b", needs=["a"]), outputs={"a": "${ steps.a.output.by }"}, context={"n": 0})
    played = play(defined, {"a": succeeded({"by": "a"}, context={"n": 1}), "b": failed("CodeFailed")})
    assert played.body["phase"] == "Failed"
    assert played.body["outputs"] == {"a": "a"}
    assert played.body["context"] == {"n": 1}
