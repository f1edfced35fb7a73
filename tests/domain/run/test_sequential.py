"""R127: steps are processed one at a time, in the resolved order."""

from __future__ import annotations

from sluice.domain.run.simulation import failed, succeeded
from tests.domain.run.builders import SECOND, code, definition, ends, goto, play, starts, switch


def sequential(*steps: dict, **fields) -> dict:
    return definition(*steps, execution="Sequential", **fields)


def test_one_step_at_a_time_in_topological_order():
    defined = sequential(code("c", needs=["a"]), code("a"), code("b"))
    played = play(defined, {name: succeeded(took=SECOND) for name in "abc"})
    events = [(event.kind, event.step) for event in played.events[:-1]]
    assert events == [(kind, step) for step in "acb" for kind in ("StepStarted", "StepEnded")]


def test_nothing_overtakes_a_step_that_backs_off():
    played = play(sequential(code("a", retry={"limit": 1}), code("b")), {"a": [failed("Exited"), succeeded()]})
    assert starts(played) == ["a", "a", "b"]


def test_a_step_sees_all_earlier_ones():
    """Example 6."""
    seen = []

    def look(attempt):
        seen.append({name: record["phase"] for name, record in attempt.steps.items()})
        return succeeded()

    play(sequential(code("a"), code("b", when="${ steps.a.output.by == 'a' }"), code("c")), {"b": look})
    assert seen == [{"a": "Succeeded"}]


def test_a_failure_ends_it():
    played = play(sequential(code("a"), code("b"), code("c")), {"b": failed("CodeFailed")})
    assert ends(played) == {"a": "Succeeded", "b": "Failed", "c": "RunEnding"}


def test_a_handler_comes_in_its_turn():
    defined = sequential(code("a", onError=goto("h")), code("b"), code("h"))
    played = play(defined, {"a": failed("CodeFailed")})
    assert starts(played) == ["a", "b", "h"]
    assert played.body["phase"] == "Succeeded"


def test_switches_skip_what_they_did_not_choose():
    defined = sequential(
        switch("route", ("false", ["a"]), default=["b"]), code("a"), code("b"), code("j", needs=["a", "b"])
    )
    assert ends(play(defined)) == {"route": "Succeeded", "a": "BranchNotTaken", "b": "Succeeded", "j": "Succeeded"}


def test_finally_is_in_sequence_too():
    defined = sequential(code("a"), **{"finally": [code("x"), code("y")]})
    played = play(defined, {"x": failed("CodeFailed")})
    assert starts(played) == ["a", "x", "y"]
