"""Evaluate compiled values, and explain what went wrong when there is no value."""

from __future__ import annotations

import re

import orjson

from sluice.domain.expressions.bindings import Bindings
from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Joined, Literal
from sluice.domain.expressions.complaints import overload_message
from sluice.domain.expressions.conversion import JSON, MAX_RESULT_BYTES, contents, to_json
from sluice.domain.expressions.problems import EvaluationError

_STATUS = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_MISSING = re.compile(r'Key not found in map : "?(.*?)"?$')
_UNBOUND = re.compile(r'No value with name "(.+)" found in Activation')
_OUTSIDE = re.compile(r"Index error: index=(-?\d+) size=(\d+)")


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
        if result.type().name() == "ERROR":
            raise EvaluationError(_explain(str(contents(result))))
        return to_json(result)
    except EvaluationError as error:
        raise EvaluationError(error.message, compiled.source) from None
    except RuntimeError as error:
        raise EvaluationError(_explain(str(error)), compiled.source) from error


def _explain(complaint: str) -> str:
    text = _STATUS.sub("", _STATUS.sub("", complaint))
    if missing := _MISSING.search(text):
        key = missing[1]
        return f"there is no key {key!r}; where it may be missing, write .?{key}.orValue(...)"
    if outside := _OUTSIDE.search(text):
        return f"there is no item {outside[1]} in a list of {outside[2]}; write [?{outside[1]}].orValue(...)"
    if unbound := _UNBOUND.search(text):
        return f"{unbound[1]} has no value here"
    if "Applying SELECT to non-message type" in text:
        return "a field is read from a value that is no map; write .?field.orValue(...), or test the value first"
    if "Iteration budget exceeded" in text:
        return "it visits more than 10,000 items; do this in a python step"
    return overload_message(text) or text
