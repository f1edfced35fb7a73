"""Replay from the failed step (R268): what is taken over, and what is done again."""

from __future__ import annotations

from sluice.domain.definition.digest import step_digests
from sluice.domain.run.given import RunGiven
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.replay import reuse
from sluice.domain.run.simulation import Simulation, failed, succeeded
from tests.domain.run.builders import CONTINUE, START, approval, code, definition, ends, goto, play, starts, switch


def replayed(old: dict, new: dict, before: Simulation, **how) -> Simulation:
    digests = {"old_digests": step_digests(old), "new_digests": step_digests(new)}
    taken = reuse(before.events, compile_plan(new), **digests, at=START)
    return play(new, history=taken, **how)


def chain(**changes) -> dict:
    steps = [code("a"), code("b", needs=["a"]), code("c", needs=["b"])]
    return definition(*({**step, **changes.get(step["name"], {})} for step in steps))


def test_the_failed_step_and_what_follows_are_done_again():
    played = play(chain(), {"b": failed("CodeFailed"), "a": succeeded(1, context={"k": 1})})
    again = replayed(chain(), chain(), played)
    assert starts(again) == ["b", "c"]
    assert again.body["phase"] == "Succeeded"
    assert again.body["context"] == {"k": 1}
    assert again.state.values.step_record("a")["output"] == 1


def test_an_output_is_reused_only_where_the_step_is_the_same():
    """Example 13."""
    changed = chain(a={"action": {"python": {"code": "output = 2"}}})
    played = play(chain(), {"c": failed("CodeFailed")})
    assert starts(replayed(chain(), changed, played)) == ["a", "b", "c"]
    assert starts(replayed(chain(), chain(c={"timeout": "1m"}), played)) == ["c"]


def test_an_output_is_reused_only_where_all_before_it_is_the_same():
    """Example 13."""
    changed = chain(b={"timeout": "1m"})
    assert starts(replayed(chain(), changed, play(chain(), {"c": failed("CodeFailed")}))) == ["b", "c"]


def test_what_is_said_about_a_step_changes_nothing():
    described = chain(a={"description": "reads the list"})
    assert starts(replayed(chain(), described, play(chain(), {"b": failed("CodeFailed")}))) == ["b", "c"]


def test_approvals_are_never_reused():
    """Example 13."""
    defined = definition(
        code("a"), approval("review", needs=["a"]), code("pay", needs=["review"]), code("end", needs=["pay"])
    )
    again = replayed(defined, defined, play(defined, {"end": failed("CodeFailed")}))
    assert starts(again) == ["review", "pay", "end"]


def test_what_came_after_a_tolerated_failure_is_done_again_with_it():
    defined = definition(code("a", onError=CONTINUE), code("b", needs=["a"]), code("c", needs=["b"]))
    again = replayed(defined, defined, play(defined, {"a": failed("Exited"), "c": failed("Exited")}))
    assert starts(again) == ["a", "b", "c"]


def test_a_switch_chooses_as_before():
    defined = definition(
        switch("route", ("payload.high", ["x"]), default=["y"]), code("x"), code("y"), code("j", needs=["x", "y"])
    )
    before = play(defined, {"j": failed("CodeFailed")}, payload={"high": True})
    again = replayed(defined, defined, before, payload={"high": True})
    assert starts(again) == ["j"]
    assert ends(again) == {"route": "Succeeded", "x": "Succeeded", "y": "BranchNotTaken", "j": "Succeeded"}


def test_a_handler_that_nobody_sent_to_does_not_keep_results_from_being_reused():
    defined = definition(code("a", onError=goto("h")), code("h"), code("c", needs=["a", "h"]), code("d", needs=["c"]))
    again = replayed(defined, defined, play(defined, {"d": failed("CodeFailed")}))
    assert starts(again) == ["d"]


def test_finally_is_never_reused():
    defined = definition(code("a"), code("b", needs=["a"]), **{"finally": [code("tidy")]})
    again = replayed(defined, defined, play(defined, {"b": failed("CodeFailed")}))
    assert starts(again) == ["b", "tidy"]


def test_the_key_of_a_step_is_that_of_the_first_run():
    first = RunGiven.read({"run": {"startedAt": "2027-01-15T08:00:00Z"}}, uid="run-1")
    replay = RunGiven.read({"root": "run-1"}, uid="run-2")
    other = RunGiven.read({}, uid="run-2")
    assert first.idempotency_key("a") == replay.idempotency_key("a") != other.idempotency_key("a")
    assert first.idempotency_key("a") != first.idempotency_key("a", index=1)
    assert first.started == START
