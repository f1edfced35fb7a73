from __future__ import annotations

import pytest

from sluice.runner.codes import view_of


@pytest.mark.parametrize(
    ("code", "steps"),
    [
        ("output = 1", set()),
        ("output = steps.a.output", {"a"}),
        ("output = [steps['a'], steps [\"b\"], steps.c]".replace("steps [", "steps["), {"a", "b", "c"}),
        ("output = len(steps)", None),
        ("output = list(steps.values())", None),
        ("output = steps[name]", None),
        ("alias = steps\noutput = alias.a", None),
        ("output = 'grün'", None),
        ("steps_done = 1\nsubsteps = 2", set()),
    ],
)
def test_the_steps_that_code_reads_are_found(code: str, steps: set[str] | None) -> None:
    assert view_of(code).steps == steps


def test_what_is_not_mentioned_is_not_sent() -> None:
    view = view_of("output = params.get('x')")
    assert (view.payload, view.context, view.params, view.reads_steps) == (False, False, True, False)


def test_text_beyond_ascii_may_mean_anything() -> None:
    view = view_of("output = ｐayload")
    assert view.payload
    assert view.context
    assert view.reads_steps
