"""The workflow's context: what a step sees of it, and who may write what."""

from __future__ import annotations

from sluice.domain.run.simulation import Outcome, succeeded
from tests.domain.run.builders import SECOND, code, definition, ends, play


def adding(name: str):
    """A step that appends its name to what it sees."""

    def run(attempt) -> Outcome:
        return succeeded(context={"trail": [*attempt.context["trail"], name]})

    return run


def test_every_step_reads_and_writes_the_context():
    """R123."""
    defined = definition(code("a"), code("b", needs=["a"]), code("c", needs=["b"]), context={"trail": []})
    played = play(defined, {name: adding(name) for name in "abc"})
    assert played.body["context"] == {"trail": ["a", "b", "c"]}


def test_a_step_sees_what_its_ancestors_wrote_and_nothing_else():
    """Example 6."""
    seen = {}

    def look(attempt):
        seen.update(attempt.context)
        return succeeded()

    defined = definition(code("a"), code("beside"), code("b", needs=["a"]), context={"x": 0, "y": 0})
    play(
        defined,
        {"a": succeeded(context={"x": 1}, took=SECOND), "beside": succeeded(context={"y": 1}), "b": look},
    )
    assert seen == {"x": 1, "y": 0}


def test_parallel_writes_of_one_key_conflict_whatever_the_timing():
    """Example 6."""
    messages = set()
    for slow in ("a", "b"):
        outcomes = {name: succeeded(context={"k": name}, took=SECOND if name == slow else 0) for name in ("a", "b")}
        played = play(definition(code("a"), code("b")), outcomes)
        assert (played.body["phase"], played.body["reason"]) == ("Failed", "ContextConflict")
        messages.add((played.body["failure"]["step"], played.body["failure"]["message"]))
    (only,) = messages
    assert only[0] == "b"
    assert only[1].startswith("steps a and b both wrote context.k and have no order between them; add a to the needs")


def test_a_conflict_shows_also_when_one_write_comes_long_after_the_other():
    defined = definition(code("a"), code("x"), code("b", needs=["x"]))
    played = play(defined, {"a": succeeded(context={"k": 1}), "b": succeeded(context={"k": 1}, took=SECOND)})
    assert played.body["reason"] == "ContextConflict"


def test_writes_of_different_keys_do_not_conflict():
    played = play(
        definition(code("a"), code("b")), {"a": succeeded(context={"a": 1}), "b": succeeded(context={"b": 2})}
    )
    assert played.body["phase"] == "Succeeded"
    assert played.body["context"] == {"a": 1, "b": 2}


def test_of_ordered_writes_the_later_one_wins():
    defined = definition(code("a"), code("b", needs=["a"]), context={"k": 0})
    played = play(defined, {"a": succeeded(context={"k": 1}), "b": succeeded(context={"k": 2})})
    assert played.body["context"] == {"k": 2}


def test_steps_in_sequence_never_conflict():
    defined = definition(code("a"), code("b"), execution="Sequential")
    played = play(defined, {"a": succeeded(context={"k": 1}), "b": succeeded(context={"k": 2})})
    assert played.body["context"] == {"k": 2}
    assert ends(played) == {"a": "Succeeded", "b": "Succeeded"}


def test_outputs_of_steps_do_not_collide():
    """R124."""
    defined = definition(
        code("a"), code("b"), outputs={"a": "${ steps.a.output.same }", "b": "${ steps.b.output.same }"}
    )
    played = play(defined, {"a": succeeded({"same": 1}), "b": succeeded({"same": 2})})
    assert played.body["outputs"] == {"a": 1, "b": 2}


def test_expressions_see_the_context_of_their_place():
    """R138."""
    defined = definition(
        code("a"),
        code("b", needs=["a"], when="${ context.n == 1 }"),
        code("c", needs=["b"], when="${ context.n == 2 }"),
        code("aside", when="${ context.n == 0 }"),
        context={"n": 0},
        outputs={"n": "${ context.n }"},
    )
    played = play(defined, {"a": succeeded(context={"n": 1}), "b": succeeded(context={"n": 2})})
    assert set(ends(played).values()) == {"Succeeded"}
    assert played.body["outputs"] == {"n": 2}
