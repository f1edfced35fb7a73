"""A switch is a guard; a skip passes along every need, with two exceptions and an opt-out."""

from __future__ import annotations

import pytest

from sluice.domain.run.simulation import succeeded
from tests.domain.run.builders import approval, code, definition, ends, play, switch

HIGH, LOW = {"severity": "high"}, {"severity": "low"}


def escalation(*more: dict) -> dict:
    return definition(
        code("classify"),
        switch("route", ("payload.severity == 'high'", ["review"]), default=["reply"], needs=["classify"]),
        code("review"),
        code("reply", needs=["classify", "review"]),
        *more,
    )


def test_a_target_runs_when_a_need_of_it_downstream_of_the_switch_ran():
    assert ends(play(escalation(), payload=HIGH))["reply"] == "Succeeded"


def test_a_chosen_target_runs_though_the_switch_passed_by_what_it_needs():
    played = play(escalation(), payload=LOW)
    assert ends(played) == {
        "classify": "Succeeded",
        "route": "Succeeded",
        "review": "BranchNotTaken",
        "reply": "Succeeded",
    }
    assert played.body["phase"] == "Succeeded"


def test_leaving_out_a_review_leaves_out_the_payment():
    """Example 1."""
    defined = escalation(code("pay", needs=["review", "classify"]))
    assert ends(play(defined, payload=LOW))["pay"] == "UpstreamSkipped"
    assert ends(play(defined, payload=HIGH))["pay"] == "Succeeded"


def test_a_question_mark_opts_out_of_skips():
    """Example 1."""
    defined = escalation(code("pay", needs=["review?", "classify"]))
    assert ends(play(defined, payload=LOW))["pay"] == "Succeeded"


def test_a_review_left_out_by_its_condition_leaves_out_the_payment():
    defined = definition(
        approval("review", when="${ payload.amount > 10 }"), code("pay", needs=["review"]), code("ship", needs=["pay"])
    )
    played = play(defined, payload={"amount": 1})
    assert ends(played) == {"review": "WhenFalse", "pay": "UpstreamSkipped", "ship": "UpstreamSkipped"}
    assert played.body["phase"] == "Succeeded"


def test_branches_of_a_switch_join_again():
    defined = definition(
        switch("route", ("payload.severity == 'high'", ["a"]), default=["b"]),
        code("a"),
        code("a2", needs=["a"]),
        code("b"),
        code("join", needs=["a2", "b"]),
    )
    assert ends(play(defined, payload=HIGH))["join"] == "Succeeded"
    low = ends(play(defined, payload=LOW))
    assert low["join"] == "Succeeded"
    assert low["a2"] == "UpstreamSkipped"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_being_chosen_by_either_of_two_switches_is_enough(first: bool, second: bool):
    """Example 2."""
    defined = definition(
        switch("one", ("payload.first", ["shared"])), switch("two", ("payload.second", ["shared"])), code("shared")
    )
    end = ends(play(defined, payload={"first": first, "second": second}))["shared"]
    assert end == ("Succeeded" if first or second else "BranchNotTaken")


def test_a_join_is_passed_by_when_no_branch_was_taken():
    defined = definition(
        switch("route", ("payload.go", ["a", "b"])), code("a"), code("b"), code("join", needs=["a", "b"])
    )
    played = play(defined, payload={"go": False})
    assert ends(played)["join"] == "UpstreamSkipped"
    assert played.body["phase"] == "Succeeded"


def test_a_skip_with_two_causes_needs_an_excuse_for_each():
    """What one switch left out is excused by its other branch; what a condition left out is not."""
    defined = definition(
        switch("route", ("true", ["a"]), default=["b"]),
        code("a"),
        code("b"),
        code("checked", when="${ false }"),
        code("both", needs=["b", "checked"]),
        code("join", needs=["a", "both"]),
    )
    assert ends(play(defined))["join"] == "UpstreamSkipped"


def test_a_switch_that_was_skipped_chooses_nothing():
    defined = definition(
        approval("review", when="${ false }"),
        switch("route", ("true", ["pay"]), needs=["review"]),
        code("pay"),
        code("ship", needs=["pay"]),
    )
    assert ends(play(defined)) == {
        "review": "WhenFalse",
        "route": "UpstreamSkipped",
        "pay": "BranchNotTaken",
        "ship": "UpstreamSkipped",
    }


def test_the_first_case_that_is_true_wins():
    defined = definition(
        switch("route", ("payload.n > 1", ["many"]), ("payload.n > 0", ["one"]), default=["none"]),
        code("many"),
        code("one"),
        code("none"),
    )
    assert ends(play(defined, payload={"n": 5}))["many"] == "Succeeded"
    assert ends(play(defined, payload={"n": 1}))["one"] == "Succeeded"
    assert ends(play(defined, payload={"n": 0}))["none"] == "Succeeded"


def test_what_a_switch_chose_is_its_output():
    played = play(escalation(), payload=HIGH)
    assert played.state.values.step_record("route")["output"] == {"next": ["review"]}


def test_reorders_happen_only_below_the_minimum():
    """R137."""
    defined = definition(
        code("compare"),
        switch("low", ("steps.compare.output.stock < payload.minimum", ["notify", "order"]), needs=["compare"]),
        code("notify"),
        code("order"),
    )
    outcomes = {"compare": succeeded({"stock": 3})}
    assert ends(play(defined, outcomes, payload={"minimum": 5}))["order"] == "Succeeded"
    enough = ends(play(defined, outcomes, payload={"minimum": 2}))
    assert (enough["order"], enough["notify"]) == ("BranchNotTaken", "BranchNotTaken")
