"""R133 to R136: the structured execution report."""

from __future__ import annotations

from typing import Any

from sluice.domain.run.plan import compile_plan
from sluice.domain.run.report import report
from sluice.domain.run.simulation import Outcome, failed, succeeded
from tests.domain.run.builders import SECOND, code, definition, play

RUN = {"id": "wfr_1", "name": "w-1", "version": "v3"}


def reported(defined: dict, outcomes: dict, **how: Any) -> dict:
    played = play(defined, outcomes, **how)
    return report(compile_plan(defined), played.events, RUN)


def test_a_run_that_succeeded():
    """R133, R134."""
    defined = definition(code("a"), code("b", needs=["a"]), context={"n": 0}, outputs={"b": "${ steps.b.output }"})
    outcomes = {"a": succeeded(1, took=SECOND, context={"n": 5}), "b": succeeded(2, took=2 * SECOND)}
    found = reported(defined, outcomes)
    assert (found["success"], found["phase"], found["run"]) == (True, "Succeeded", RUN)
    assert found["context"] == {"n": 5}
    assert found["outputs"] == {"b": 2}
    assert found["errors"] == []
    assert found["durationMs"] == 3000
    first = found["steps"][0]
    assert (first["name"], first["output"], first["context"]) == ("a", 1, {"n": 5})
    assert (first["startedAt"], first["endedAt"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-15T08:00:01.000000Z")


def test_a_run_that_failed_keeps_what_was_gathered():
    """R135, R136."""
    body = {"phase": "Failed", "reason": "CodeFailed", "message": "boom", "log": "one\ntwo"}
    found = reported(definition(code("a"), code("b", needs=["a"]), code("c", needs=["b"])), {"b": Outcome(body)})
    assert not found["success"]
    assert [(step["name"], step["phase"]) for step in found["steps"]] == [("a", "Succeeded"), ("b", "Failed")]
    assert found["steps"][0]["output"] == {"by": "a"}
    assert found["steps"][1]["log"] == "one\ntwo"
    assert [(error["step"], error["message"], error["logTail"]) for error in found["errors"]] == [
        ("b", "boom", "one\ntwo")
    ]
    assert found["failure"]["step"] == "b"
    assert [(step["name"], step["reason"]) for step in found["skipped"]] == [("c", "UpstreamFailed")]


def test_attempts_are_listed_with_their_times():
    """R266."""
    found = reported(
        definition(code("a", retry={"limit": 1})),
        {"a": [failed("Exited", "first", took=SECOND), succeeded(took=SECOND)]},
    )
    (step,) = found["steps"]
    assert [(one["attempt"], one["phase"], one["message"]) for one in step["attempts"]] == [
        (1, "Failed", "first"),
        (2, "Succeeded", ""),
    ]
    assert [one["startedAt"][17:19] for one in step["attempts"]] == ["00", "02"]
    assert step["phase"] == "Succeeded"
    assert found["errors"] == []


def test_a_run_in_progress_is_reported_as_far_as_it_is():
    defined = definition(code("a"), code("b", needs=["a"]))
    found = reported(defined, {}, stop_after=3)
    assert (found["success"], found["phase"], found["endedAt"], found["durationMs"]) == (False, "Running", None, None)
    assert [(step["name"], step["phase"]) for step in found["steps"]] == [("a", "Succeeded"), ("b", "Running")]
    assert found["counts"]["succeeded"] == 1


def test_a_cancelled_run_says_so():
    defined = definition(code("a"))
    found = reported(defined, {"a": succeeded(took=SECOND)}, cancel_at=1_800_000_000_500_000)
    assert found["phase"] == "Cancelled"
    assert [(error["step"], error["reason"]) for error in found["errors"]] == [("a", "Cancelled")]


def test_a_run_without_events_has_a_report():
    found = report(compile_plan(definition(code("a"))), [], RUN)
    assert (found["phase"], found["steps"], found["startedAt"]) == ("Running", [], None)


def test_what_handled_errors_do_is_listed_too():
    defined = definition(code("a", onError={"action": "Continue"}), code("b"))
    found = reported(defined, {"a": failed("Exited")})
    assert found["success"]
    assert [error["step"] for error in found["errors"]] == ["a"]
