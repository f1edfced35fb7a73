"""The CEL environments: one per set of declared names to check in, a single one to evaluate in.

An environment and the first compilation in it take half a millisecond and 2 microseconds for each name, the next
compilation 40 microseconds, so environments are kept by what they declare. An expression
that was checked is evaluated in the environment that declares nothing: evaluating looks names up in what is bound.
"""

from __future__ import annotations

from functools import cache, lru_cache

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

from sluice.domain.expressions.scope import TIMESTAMPS, Declared, ValueType


@cache
def runtime() -> cel.Env:
    """The environment in which checked expressions are evaluated.

    It declares the timestamps, since only a declared name takes a datetime; the declarations are first read by a
    compilation, so there is one.
    """
    environment = cel.NewEnv(variables=dict.fromkeys(TIMESTAMPS, cel.Type.TIMESTAMP), extensions=_extensions())
    environment.compile("true")
    return environment


@lru_cache(maxsize=64)
def checker(declared: Declared) -> cel.Env:
    """An environment in which exactly these names exist, beside CEL's own functions."""
    types = _types()
    return cel.NewEnv(
        variables={name: types[kind] for name, kind in declared.variables().items()}, extensions=_extensions()
    )


@cache
def _types() -> dict[ValueType, cel.Type]:
    """JSON numbers are integers or doubles by their value (see ``numbers``), so a number is checked when evaluated."""
    t = cel.Type
    return {
        ValueType.ANY: t.DYN,
        ValueType.STRING: t.STRING,
        ValueType.INTEGER: t.INT,
        ValueType.NUMBER: t.DYN,
        ValueType.BOOLEAN: t.BOOL,
        ValueType.ARRAY: t.List(t.DYN),
        ValueType.OBJECT: t.Map(t.STRING, t.DYN),
        ValueType.TIMESTAMP: t.TIMESTAMP,
        ValueType.TEXTS: t.Map(t.STRING, t.STRING),
        ValueType.OBJECTS: t.List(t.Map(t.STRING, t.DYN)),
    }


@cache
def _extensions() -> list[cel.CelExtensionBase]:
    return [
        ext_strings.ExtStrings(),
        ext_math.ExtMath(),
        ext_optional.ExtOptional(),
        ext_bindings.ExtBindings(),
        ext_encoders.ExtEncoders(),
    ]
