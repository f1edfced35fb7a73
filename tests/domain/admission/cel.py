"""The rules of a schema as a Kubernetes API server evaluates them: by CEL, at each place, with the stored value beside it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from sluice.domain.admission.equality import same

Schema = dict[str, Any]
RESERVED = frozenset(
    {
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
    }
    | {"loop", "package", "namespace", "return", "var", "void", "while"}
)


@cache
def _environment() -> cel.Env:
    names = ("self", "oldSelf", "object", "oldObject", "request", "variables")
    return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN), extensions=[ext_strings.ExtStrings()])


@cache
def _program(text: str) -> cel.Expression:
    return _environment().compile(text)


def holds(text: str, **bound: Any) -> bool:
    """Whether an expression is true of these values; an error counts as false, as on an API server."""
    result = _program(text).eval(data=bound)
    return result.type().name() == "BOOL" and bool(result.value())


def broken(schema: Schema, value: Any, old: Any = None, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and message of each rule that does not hold; ``old`` is None where nothing was stored."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if "oldSelf" in rule["rule"] and old is None:
            continue
        bound = {"self": escaped(schema, value)} | ({"oldSelf": escaped(schema, old)} if old is not None else {})
        if not holds(rule["rule"], **bound) and not (old is not None and same(value, old)):
            yield f"{path}{rule.get('fieldPath', '')}".removeprefix("."), rule["message"]
    yield from _below(schema, value, old, path)


def _below(schema: Schema, value: Any, old: Any, path: str) -> Iterator[tuple[str, str]]:
    if type(value) is dict:
        for name, child in value.items():
            below = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if below:
                yield from broken(below, child, (old or {}).get(name), f"{path}.{name}")
    elif type(value) is list and "items" in schema:
        keys = schema.get("x-kubernetes-list-map-keys", ())
        if not keys and old is not None and same(value, old):
            return
        stored = {tuple(item[key] for key in keys): item for item in old or ()} if keys else {}
        for index, item in enumerate(value):
            before = stored.get(tuple(item[key] for key in keys)) if keys else None
            yield from broken(schema["items"], item, before, f"{path}[{index}]")


def escaped(schema: Schema, value: Any) -> Any:
    """The value with the fields that a schema names spelled as Kubernetes spells them in CEL."""
    if type(value) is dict and "properties" in schema:
        return {
            f"__{name}__" if name in RESERVED else name: escaped(schema["properties"].get(name, {}), child)
            for name, child in value.items()
        }
    if type(value) is dict:
        return {name: escaped(schema.get("additionalProperties", {}), child) for name, child in value.items()}
    if type(value) is list:
        return [escaped(schema.get("items", {}), item) for item in value]
    return value
