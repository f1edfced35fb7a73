"""Expressions: CEL in ``${ }``, type-checked when a definition is validated, evaluated when a run gets there.

`compile_value` and `compile_expression` with a `Scope` give a compiled value or problems; `Bindings` hold a run's
values; `evaluate` gives JSON or raises `EvaluationError`; `serialize` and `deserialize` carry compiled values in a
version. Schemas of payloads and outputs are in `schema`. Used by the controller and by the program inside a run, so
this imports the standard library, CEL and orjson only.
"""

from sluice.domain.expressions.bindings import Bindings
from sluice.domain.expressions.compilation import LITERAL_FIELDS, Expected, compile_expression, compile_value
from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Joined, Literal
from sluice.domain.expressions.conversion import JSON
from sluice.domain.expressions.evaluation import as_text, evaluate
from sluice.domain.expressions.problems import EvaluationError, Problem
from sluice.domain.expressions.scope import Scope, ValueType, is_identifier
from sluice.domain.expressions.serialization import deserialize, serialize
from sluice.domain.expressions.template import escape

__all__ = [
    "JSON",
    "LITERAL_FIELDS",
    "Bindings",
    "Compiled",
    "CompiledList",
    "CompiledMap",
    "CompiledValue",
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
