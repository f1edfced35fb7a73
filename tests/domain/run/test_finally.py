"""``finally`` runs in every case, after the verdict, and never changes it."""

from __future__ import annotations

from sluice.domain.run.simulation import failed, succeeded
from tests.domain.run.builders import MINUTE, START, code, definition, ends, play, reasons, starts


def with_finally(*last: dict, steps: tuple[dict, ...] = (), **fields) -> dict:
    return definition(*(steps or (code("a"), code("b", needs=["a"]))), **{"finally": list(last), **fields})


def test_finally_comes_after_all_other_steps():
    assert starts(play(with_finally(code("tidy")))) == ["a", "b", "tidy"]


def test_finally_runs_after_a_failure_too():
    played = play(with_finally(code("tidy")), {"a": failed("CodeFailed")})
    assert ends(played) == {"a": "Failed", "b": "UpstreamFailed", "tidy": "Succeeded"}
    assert played.body["phase"] == "Failed"


def test_a_failure_in_finally_does_not_change_the_verdict():
    played = play(with_finally(code("tidy"), code("also")), {"tidy": failed("CodeFailed")})
    assert ends(played)["also"] == "Succeeded"
    assert played.body["phase"] == "Succeeded"
    assert "failure" not in played.body


def test_finally_sees_the_verdict_the_error_and_every_step():
    tell = code("tell", when="${ run.phase == 'Failed' && error.step == 'a' && steps.b.phase == 'Skipped' }")
    assert ends(play(with_finally(tell), {"a": failed("CodeFailed")}))["tell"] == "Succeeded"
    assert ends(play(with_finally(tell)))["tell"] == "WhenFalse"


def test_without_an_error_its_fields_are_empty():
    assert ends(play(with_finally(code("tell", when="${ error.step == '' && errors == [] }"))))["tell"] == "Succeeded"


def test_steps_of_finally_may_need_each_other():
    last = (code("two", needs=["one"]), code("one"))
    assert starts(play(with_finally(*last)))[-2:] == ["one", "two"]
    assert ends(play(with_finally(*last), {"one": failed("CodeFailed")}))["two"] == "UpstreamFailed"


def test_steps_of_finally_are_tried_again():
    last = code("tidy", retry={"limit": 1})
    assert ends(play(with_finally(last), {"tidy": [failed("Exited"), succeeded()]}))["tidy"] == "Succeeded"


def test_finally_has_a_bound_of_its_own():
    """Example 10."""
    last = (code("slow"), code("next", needs=["slow"]))
    played = play(with_finally(*last, timeout="1m"), {"slow": succeeded(took=60 * MINUTE)})
    assert (reasons(played)["slow"], reasons(played)["next"]) == ("TimedOut", "RunEnding")
    assert played.body["phase"] == "Succeeded"
    assert played.events[-1].at == START + 10 * MINUTE


def test_what_finally_writes_is_no_conflict():
    """The later one in the plan's order wins, though it ends first."""
    last = (code("one"), code("two"))
    outcomes = {"one": succeeded(context={"k": "one"}, took=MINUTE), "two": succeeded(context={"k": "two"})}
    played = play(with_finally(*last), outcomes)
    assert played.body["phase"] == "Succeeded"
    assert played.body["context"] == {"k": "two"}
