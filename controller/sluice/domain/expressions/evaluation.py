"""Evaluate compiled values, and explain what went wrong when there is no value."""

from __future__ import annotations

import orjson

from sluice.domain.expressions.bindings import Bindings
from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Joined, Literal
from sluice.domain.expressions.conversion import JSON, MAX_RESULT_BYTES, contents, to_json
from sluice.domain.expressions.problems import EvaluationError


def evaluate(compiled: CompiledValue, bindings: Bindings) -> JSON:
    """The JSON value; raises EvaluationError with the expression and what to do about it."""
    match compiled:
        case Literal(value=value):
            return value
        case Compiled():
            return _evaluate_one(compiled, bindings)
        case Joined(parts=parts):
            return _join([part if isinstance(part, str) else as_text(evaluate(part, bindings)) for part in parts])
        case CompiledList(items=entries):
            return [evaluate(item, bindings) for item in entries]
        case CompiledMap(items=members):
            return {key: evaluate(item, bindings) for key, item in members.items()}


def as_text(value: JSON) -> str:
    """How a value stands within text: strings as they are, null as nothing, all else as compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _join(parts: list[str]) -> str:
    text = "".join(parts)
    if len(text) > MAX_RESULT_BYTES:
        raise EvaluationError("the text is larger than 1 MiB; keep large data in storage, or select less of it")
    return text


def _evaluate_one(compiled: Compiled, bindings: Bindings) -> JSON:
    try:
        result = bindings.evaluate(compiled)
        if result.type().name() != "ERROR":
            return to_json(result)
        complaint = str(contents(result))
    except EvaluationError as error:
        raise EvaluationError(error.message, compiled.source) from None
    except RuntimeError as error:
        complaint = str(error)
    raise EvaluationError(_explain(complaint), compiled.source)


def _explain(complaint: str) -> str:
    from sluice.domain.expressions.explanations import explain  # noqa: PLC0415 - 2 ms, and only where something is wrong

    return explain(complaint)
