"""Expressions: CEL in ``${ }``, type-checked when a definition is validated, evaluated when a run gets there.

`compile_value` and `compile_expression` with a `Scope` give a compiled value or problems; `Bindings` hold a run's
values; `evaluate` gives JSON or raises `EvaluationError`; `serialize` and `deserialize` carry compiled values in a
version. Schemas of payloads and outputs are in `schema`. Used by the controller and by the program inside a run, so
this imports the standard library, CEL and orjson only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sluice.domain.expressions.bindings import Bindings
from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Cost, Joined, Literal
from sluice.domain.expressions.conversion import JSON
from sluice.domain.expressions.evaluation import as_text, evaluate
from sluice.domain.expressions.problems import EvaluationError, Problem
from sluice.domain.expressions.scope import Scope, ValueType, is_identifier
from sluice.domain.expressions.serialization import deserialize, serialize

if TYPE_CHECKING:
    from sluice.domain.expressions.checking import Expected, compile_expression
    from sluice.domain.expressions.compilation import LITERAL_FIELDS, compile_value
    from sluice.domain.expressions.template import escape

__all__ = [
    "JSON",
    "LITERAL_FIELDS",
    "Bindings",
    "Compiled",
    "CompiledList",
    "CompiledMap",
    "CompiledValue",
    "Cost",
    "EvaluationError",
    "Expected",
    "Joined",
    "Literal",
    "Problem",
    "Scope",
    "ValueType",
    "as_text",
    "compile_expression",
    "compile_value",
    "deserialize",
    "escape",
    "evaluate",
    "is_identifier",
    "serialize",
]

_COMPILING = {
    "Expected": "checking",
    "LITERAL_FIELDS": "compilation",
    "compile_expression": "checking",
    "compile_value": "compilation",
    "escape": "template",
}


def __getattr__(name: str) -> object:
    """Compiling is loaded when somebody compiles; the program inside a run only evaluates."""
    if name not in _COMPILING:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(import_module(f"{__name__}.{_COMPILING[name]}"), name)
