"""What validation lets through, a run can compile: both hold an expression to the same scope."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.validation.definitions import validate
from sluice.domain.definition.validation.findings import errors
from sluice.domain.expressions import EvaluationError
from sluice.domain.run.plan import compile_plan

REFERENCES = ["payload.x", "params.p", "context.c", "steps.a.output", "steps.b.output", "steps.c.phase", "steps.h.output",
              "steps.z.output", "error.message", "run.phase", "env.name", "trigger.type", "steps.gone.output"]  # fmt: skip


def definition(execution: str, place: str, reference: str) -> dict[str, Any]:
    """Steps a -> b, c beside them, h the handler of b, z in finally; one of them looks at something."""

    def step(name: str, *needs: str, **more: Any) -> dict[str, Any]:
        body = f"${{ {reference} }}" if name == place else 1
        return {"name": name, "needs": list(needs), "action": {"http": {"url": "https://x", "body": body}}} | more

    return {
        "execution": execution,
        "params": {"p": {"type": "string"}},
        "steps": [step("a"), step("b", "a", onError={"goto": "h"}), step("c"), step("h")],
        "finally": [step("z"), step("y", "z")],
    }


@pytest.mark.parametrize("execution", ["Parallel", "Sequential"])
@pytest.mark.parametrize("place", ["a", "b", "c", "h", "z", "y"])
def test_validation_and_runs_see_the_same_names(execution: str, place: str) -> None:
    for reference in REFERENCES:
        written = definition(execution, place, reference)
        plan = compile_plan(canonicalize(written))
        try:
            plan.programs.fields(plan.steps[place])
        except EvaluationError:
            compiles = False
        else:
            compiles = True
        assert compiles == (not errors(validate(written))), reference


@pytest.mark.parametrize("reference", REFERENCES)
def test_outputs_see_the_same_in_both(reference: str) -> None:
    written = definition("Parallel", "", "") | {"outputs": {"o": f"${{ {reference} }}"}}
    plan = compile_plan(canonicalize(written))
    try:
        plan.programs.output("o")
    except EvaluationError:
        compiles = False
    else:
        compiles = True
    assert compiles == (not errors(validate(written)))
