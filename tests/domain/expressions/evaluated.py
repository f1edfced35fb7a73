"""Short ways to compile and evaluate, for tables of cases."""

from __future__ import annotations

from sluice.domain.expressions import (
    JSON,
    Bindings,
    Compiled,
    CompiledValue,
    Problem,
    Scope,
    ValueType,
    compile_expression,
    compile_value,
    evaluate,
)

SCOPE = Scope(
    steps=frozenset({"classify", "review"}),
    known=frozenset({"classify", "review", "reply"}),
    params={"mailTo": ValueType.STRING, "threshold": ValueType.INTEGER, "rate": ValueType.NUMBER},
    error=True,
    local=frozenset({"order"}),
)


def complaints(expression: str, scope: Scope = SCOPE) -> list[str]:
    """The messages about an expression; empty if it compiles."""
    compiled = compile_expression(expression, scope)
    return [problem.message for problem in compiled] if isinstance(compiled, list) else []


def compiled_expression(expression: str, scope: Scope = SCOPE) -> Compiled:
    """A compiled expression; fails where there are problems."""
    compiled = compile_expression(expression, scope)
    assert isinstance(compiled, Compiled), compiled
    return compiled


def compiled_value(value: object, scope: Scope = SCOPE) -> CompiledValue:
    """A compiled value; fails where there are problems."""
    compiled = compile_value(value, scope)
    assert not isinstance(compiled, list), compiled
    return compiled


def problems(value: object, scope: Scope = SCOPE) -> list[Problem]:
    """The problems of a value that must have some."""
    compiled = compile_value(value, scope)
    assert isinstance(compiled, list), compiled
    return compiled


def result(value: object, **bound: object) -> JSON:
    """What a template gives; keywords are bound names, with ``__`` for a dot."""
    bindings = Bindings()
    for name, item in bound.items():
        bindings.set(name.replace("__", "."), item)
    return evaluate(compiled_value(value), bindings)
