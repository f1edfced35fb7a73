"""JSON Schema (2020-12) for payloads, parameters and outputs: the part of it that is bounded.

A schema comes from whoever may write a workflow, a payload from whoever knows a webhook's address, so neither may cost
more than its size. Left out are references to anything but the schema's own ``$defs``, circles among those, and
``patternProperties``, ``unevaluated*``, ``$dynamicRef``; ``pattern`` is RE2 as in expressions, so it takes linear time
(and knows no look-around); ``format`` is a note for people, as the standard has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

import orjson
from cel_expr_python import cel

from sluice.domain.expressions.conversion import to_cel
from sluice.domain.expressions.problems import EvaluationError, Problem

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MAX_SCHEMA_BYTES = 64 * 1024
MAX_SCHEMA_DEPTH = 32
MAX_EXPANDED = 5_000
MAX_PATTERN = 256
MAX_PROBLEMS = 20
MAX_MESSAGE = 300

_NOTES = frozenset(
    {
        "$schema",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "format",
    }
)
_LIMITS = frozenset(
    {"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength"}
    | {"maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties"}
    | {"maxProperties", "required", "dependentRequired", "$ref"}
)
_ONE = frozenset({"items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"})
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "dependentSchemas"})
_KNOWN = _NOTES | _LIMITS | _ONE | _MANY | _NAMED
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check_schema(schema: object) -> list[Problem]:
    """Why this can't be used as a schema, each with the path to the place; empty if it can."""
    try:
        size = len(orjson.dumps(schema))
    except TypeError as error:
        return [Problem(f"the schema is no JSON: {error}")]
    if size > MAX_SCHEMA_BYTES:
        return [Problem(f"the schema has {size} bytes; {MAX_SCHEMA_BYTES} are the limit")]
    problems = list(_problems(schema, (), 0))
    if problems or not isinstance(schema, Mapping):
        return problems[:MAX_PROBLEMS]
    return _standard_problems(schema) or _reference_problems(schema)


def validate(schema: object, value: Any) -> list[Problem]:
    """Where a JSON value breaks a checked schema, at most 20 places; the paths lead through the value."""
    try:
        validator = _validator(orjson.dumps(schema))
        problems = []
        for error in validator.iter_errors(value):
            problems.append(Problem(_shortened(error.message), path=tuple(error.absolute_path)))
            if len(problems) == MAX_PROBLEMS:
                break
    except RecursionError:
        return [Problem("the value nests too deep; make it flatter")]
    return sorted(problems, key=lambda problem: [str(part) for part in problem.path])


def _problems(schema: object, path: tuple[str | int, ...], depth: int) -> Iterator[Problem]:
    """What this module adds to the standard: only known keywords, bounded depth and patterns, own references."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield Problem("a schema is a map, or true or false", path=path)
        return
    if depth > MAX_SCHEMA_DEPTH:
        yield Problem(f"the schema nests deeper than {MAX_SCHEMA_DEPTH}; move parts to $defs", path=path)
        return
    for keyword, body in schema.items():
        here = (*path, str(keyword))
        if keyword not in _KNOWN and not str(keyword).startswith("x-"):
            yield Problem(f"the keyword {keyword} can't be used here; known are the bounded ones of 2020-12", path=here)
        elif complaint := _keyword_complaint(str(keyword), body):
            yield Problem(complaint, path=here)
        else:
            for part, child in _parts(str(keyword), body):
                yield from _problems(child, here if part is None else (*here, part), depth + 1)


def _keyword_complaint(keyword: str, body: object) -> str | None:
    if keyword == "$schema" and body != _DIALECT:
        return f"schemas are of 2020-12; write {_DIALECT}, or leave it out"
    if keyword == "$ref" and not (isinstance(body, str) and body.startswith("#/$defs/") and body.count("/") == 2):
        return "a reference leads to the schema's own $defs: write #/$defs/name"
    if keyword == "pattern" and isinstance(body, str):
        if len(body) > MAX_PATTERN:
            return f"the pattern has {len(body)} characters; {MAX_PATTERN} are the limit"
        return _pattern_complaint(body)
    return None


def _parts(keyword: str, body: object) -> Iterator[tuple[str | int | None, object]]:
    """The schemas inside a keyword, each with its key or index; a part in the wrong form is left to the standard."""
    if keyword in _ONE:
        yield None, body
    elif keyword in _MANY and isinstance(body, list):
        yield from enumerate(body)
    elif keyword in _NAMED and isinstance(body, Mapping):
        yield from ((str(name), child) for name, child in body.items())


def _standard_problems(schema: Mapping[str, Any]) -> list[Problem]:
    """What the standard's own schema of schemas says, such as a type that does not exist."""
    errors = _validator_class()(_validator_class().META_SCHEMA).iter_errors(schema)
    return [Problem(_shortened(error.message), path=tuple(error.absolute_path)) for error in errors][:MAX_PROBLEMS]


def _shortened(message: str) -> str:
    """A message begins with the offending value and ends with what is wrong with it; long ones lose their middle."""
    half = MAX_MESSAGE // 2
    return message if len(message) <= MAX_MESSAGE else f"{message[:half]} ... {message[-half:]}"


def _reference_problems(schema: Mapping[str, Any]) -> list[Problem]:
    """References that lead nowhere or in a circle, and those that multiply until validating takes for ever."""
    definitions = schema.get("$defs", {})
    sizes: dict[str, int] = {}

    def expanded(part: object, trail: tuple[str, ...]) -> int:
        if not isinstance(part, Mapping):
            return 1
        total = 1
        for keyword, body in part.items():
            if keyword == "$ref":
                total += size_of(body.removeprefix("#/$defs/"), trail)
            elif keyword != "$defs":
                total += sum(expanded(child, trail) for _, child in _parts(keyword, body))
        return total

    def size_of(name: str, trail: tuple[str, ...]) -> int:
        if name not in definitions:
            raise ValueError(f"$ref leads to $defs.{name}, which does not exist; there are: {', '.join(definitions)}")
        if name in trail:
            raise ValueError(
                f"$defs.{name} refers to itself ({' -> '.join((*trail, name))}); schemas can't be recursive"
            )
        if name not in sizes:
            sizes[name] = expanded(definitions[name], (*trail, name))
        return sizes[name]

    try:
        total = expanded(schema, ()) + sum(size_of(name, ()) for name in definitions)
    except ValueError as error:
        return [Problem(str(error), path=("$defs",))]
    if total > MAX_EXPANDED:
        return [Problem(f"with its references written out it has {total} schemas; {MAX_EXPANDED} are the limit")]
    return []


@lru_cache(maxsize=256)
def _validator(encoded: bytes) -> Validator:
    from referencing import Registry  # noqa: PLC0415 - 80 ms, and only where there is a schema

    return _validator_class()(orjson.loads(encoded), registry=Registry())


@cache
def _validator_class() -> type[Validator]:
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415 - 80 ms, only where there is a schema
    from jsonschema.validators import extend  # noqa: PLC0415

    def pattern(_: Validator, expected: str, text: object, __: object) -> Iterator[ValidationError]:
        if isinstance(text, str) and not _matches(text, expected):
            yield ValidationError(f"{text!r} does not match {expected!r}")

    def unique(_: Validator, wanted: bool, items: object, __: object) -> Iterator[ValidationError]:
        if wanted and isinstance(items, list):
            encoded = [orjson.dumps(_comparable(item), option=orjson.OPT_SORT_KEYS) for item in items]
            if len(set(encoded)) < len(encoded):
                yield ValidationError("two items are equal, and uniqueItems forbids it")

    validators = {"pattern": pattern, "uniqueItems": unique}
    return cast("type[Validator]", extend(Draft202012Validator, validators))  # type: ignore[no-untyped-call]


def _comparable(item: object) -> object:
    """``1`` and ``1.0`` are one number to the standard."""
    try:
        return to_cel(item)
    except EvaluationError:
        return item


def _matches(text: str, pattern: str) -> bool:
    return bool(_matcher().eval(data={"text": text, "pattern": pattern}).value() is True)


def _pattern_complaint(pattern: str) -> str | None:
    result = _matcher().eval(data={"text": "", "pattern": pattern})
    if result.type().name() != "ERROR":
        return None
    return f"the pattern is none that RE2 knows ({str(result.value()).rpartition('expression: ')[2]}); it has no look-around"


@cache
def _matcher() -> cel.Expression:
    """CEL's ``matches`` is RE2; the environment is one of its own since the variables are plain texts."""
    environment = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return environment.compile("text.matches(pattern)")
