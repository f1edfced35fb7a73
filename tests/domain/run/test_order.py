from __future__ import annotations

import pytest

from sluice.domain.run.graph import PlanError
from sluice.domain.run.plan import compile_plan
from tests.domain.run.builders import code, definition, ends, goto, play, starts, switch


def names(defined: dict) -> list[str]:
    return [step.name for step in compile_plan(defined).main]


def test_steps_are_ordered_by_what_they_need():
    """R125."""
    defined = definition(code("c", needs=["b"]), code("b", needs=["a"]), code("a"))
    assert names(defined) == ["a", "b", "c"]


def test_steps_without_an_order_keep_that_of_their_declaration():
    """R129."""
    assert names(definition(code("z"), code("m"), code("a"))) == ["z", "m", "a"]


def test_next_and_goto_are_edges_too():
    defined = definition(
        code("handler"),
        code("chosen"),
        switch("route", ("true", ["chosen"])),
        code("fails", onError=goto("handler")),
    )
    assert names(defined) == ["route", "chosen", "fails", "handler"]


@pytest.mark.parametrize(
    ("steps", "circle"),
    [
        ([code("a", needs=["b"]), code("b", needs=["a"])], "a -> b -> a"),
        ([code("x"), code("a", needs=["x", "c"]), code("b", needs=["a"]), code("c", needs=["b"])], "a -> b -> c -> a"),
        (
            [switch("route", ("true", ["a"]), needs=["b"]), code("a"), code("b", needs=["a"])],
            "route -> a -> b -> route",
        ),
        ([code("a", needs=["b"], onError=goto("b")), code("b")], "a -> b -> a"),
    ],
)
def test_a_circle_has_no_order_and_is_named(steps: list, circle: str):
    """R128."""
    with pytest.raises(PlanError, match=circle):
        compile_plan(definition(*steps))


def test_a_step_that_names_an_unknown_one_is_refused():
    with pytest.raises(PlanError, match="step a names gone"):
        compile_plan(definition(code("a", needs=["gone"])))


def test_a_name_used_twice_is_refused():
    with pytest.raises(PlanError, match="two steps are called a"):
        compile_plan(definition(code("a"), **{"finally": [code("a")]}))


def test_a_step_without_a_kind_is_refused():
    with pytest.raises(PlanError, match="step a does nothing"):
        compile_plan(definition({"name": "a", "needs": []}))


def test_a_level_of_a_newer_release_is_refused():
    """Two releases may run segments of one run; the pin says by which rules it is decided."""
    with pytest.raises(PlanError, match="pinned at level 2"):
        compile_plan(definition(code("a")), level=2)


def test_a_step_begins_after_all_that_it_needs_has_ended():
    """R126."""
    played = play(definition(code("a"), code("b"), code("join", needs=["a", "b"]), code("last", needs=["join"])))
    assert starts(played) == ["a", "b", "join", "last"]
    assert set(ends(played).values()) == {"Succeeded"}
    assert played.body["phase"] == "Succeeded"


def test_a_hundred_steps_fan_out_and_join():
    fan = [code(f"s{n}", needs=["first"]) for n in range(100)]
    played = play(definition(code("first"), *fan, code("join", needs=[step["name"] for step in fan])))
    assert played.body["counts"] == {"total": 102, "succeeded": 102, "failed": 0, "skipped": 0}
    assert starts(played)[-1] == "join"


def test_five_hundred_steps_in_a_chain():
    chain = [code("s0"), *(code(f"s{n}", needs=[f"s{n - 1}"]) for n in range(1, 500))]
    played = play(definition(*chain))
    assert starts(played) == [f"s{n}" for n in range(500)]
