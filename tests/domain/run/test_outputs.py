"""What a run answers."""

from __future__ import annotations

from sluice.domain.run.simulation import failed, succeeded
from tests.domain.run.builders import CONTINUE, code, definition, play


def outputs(templates: dict, *, a=None) -> tuple[dict, dict]:
    played = play(definition(code("a", onError=CONTINUE), outputs=templates), {"a": a or succeeded({"id": 7})})
    assert played.body["phase"] == "Succeeded"
    return played.body["outputs"], played.body["outputErrors"]


def test_outputs_keep_their_types():
    templates = {"id": "${ steps.a.output.id }", "text": "no. ${ steps.a.output.id }", "all": {"x": ["${ 1 + 1 }"]}}
    assert outputs(templates) == ({"id": 7, "text": "no. 7", "all": {"x": [2]}}, {})


def test_an_output_without_a_value_is_null_and_named_and_changes_no_phase():
    values, errors = outputs({"id": "${ steps.a.output.id }", "gone": "${ steps.a.output.gone }"})
    assert values == {"id": 7, "gone": None}
    assert list(errors) == ["gone"]
    assert "there is no key 'gone'" in errors["gone"]


def test_outputs_that_name_an_unsuccessful_step_are_null():
    """Example 3."""
    templates = {"whole": "${ steps.a.output }", "part": "${ steps.a.output.id }", "inside": {"x": "${steps.a.output}"}}
    values, errors = outputs(templates, a=failed("CodeFailed"))
    assert values == {"whole": None, "part": None, "inside": None}
    assert errors["whole"].startswith("step a did not succeed, it is Failed")


def test_an_output_may_say_what_holds_without_the_step():
    templates = {
        "id": "${ steps.a.output.?id.orValue('') }",
        "said": "${ steps.a.phase == 'Succeeded' ? string(steps.a.output.id) : 'none' }",
    }
    assert outputs(templates, a=failed("CodeFailed")) == ({"id": "", "said": "none"}, {})


def test_an_output_that_can_not_be_compiled_is_null():
    values, errors = outputs({"x": "${ steps.nobody.output }"})
    assert values == {"x": None}
    assert "nobody" in errors["x"]


def test_a_failed_run_answers_with_what_it_has():
    defined = definition(
        code("a"), code("b", needs=["a"]), outputs={"a": "${ steps.a.output }", "b": "${ steps.b.output }"}
    )
    played = play(defined, {"a": succeeded(1), "b": failed("CodeFailed")})
    assert played.body["outputs"] == {"a": 1, "b": None}
    assert played.body["counts"] == {"total": 2, "succeeded": 1, "failed": 1, "skipped": 0}
