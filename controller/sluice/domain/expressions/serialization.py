"""Carry compiled values inside a version: JSON with the checked form of each expression, about 10 microseconds to load.

The encoding is tagged, since literals are arbitrary JSON: ``{"value": ...}``, ``{"cel": source, "checked": base64,
"names": [...], "cost": int}``, ``{"join": [...]}``, ``{"list": [...]}``, ``{"map": {...}}``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, cast

from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Cost, Joined, Literal
from sluice.domain.expressions.conversion import JSON
from sluice.domain.expressions.environment import runtime


def serialize(compiled: CompiledValue) -> JSON:
    """The JSON that `deserialize` reads; equal values have equal encodings."""
    match compiled:
        case Literal(value=value):
            return {"value": value}
        case Compiled(source=source, names=names, cost=cost, checked=checked):
            encoded = base64.b64encode(checked).decode("ascii")
            return {"cel": source, "checked": encoded, "names": [*sorted(names)], "cost": int(cost)}
        case Joined(parts=parts):
            return {"join": [part if isinstance(part, str) else serialize(part) for part in parts]}
        case CompiledList(items=entries):
            return {"list": [serialize(item) for item in entries]}
        case CompiledMap(items=members):
            return {"map": {key: serialize(item) for key, item in members.items()}}


def deserialize(encoded: JSON) -> CompiledValue:
    """The value that was serialized; ValueError if this is none, which means: compile its source again."""
    match encoded:
        case {"value": value}:
            return Literal(value)
        case {"cel": str(), "checked": str()}:
            return _expression(cast("dict[str, Any]", encoded))
        case {"join": list(parts)}:
            return Joined(tuple(part if isinstance(part, str) else _part(part) for part in parts))
        case {"list": list(items)}:
            return CompiledList(tuple(deserialize(item) for item in items))
        case {"map": dict(items)}:
            return CompiledMap({key: deserialize(item) for key, item in items.items()})
    raise ValueError("this is no serialized expression; compile its source again")


def _part(encoded: JSON) -> Compiled:
    match deserialize(encoded):
        case Compiled() as part:
            return part
    raise ValueError("a part of a text is no expression; compile its source again")


def _expression(encoded: Mapping[str, Any]) -> Compiled:
    try:
        checked = base64.b64decode(cast("str", encoded["checked"]), validate=True)
        program = runtime().deserialize(checked)
        return Compiled(encoded["cel"], frozenset(encoded["names"]), Cost(encoded["cost"]), checked, program)
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the checked form of {encoded['cel']!r} can't be read; compile its source again") from error
