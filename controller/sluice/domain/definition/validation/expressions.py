"""Every expression of a definition, type-checked against what is visible at its place, before anything runs.

The places and their scopes are those that a run uses; a definition without findings here evaluates there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sluice.domain.definition.validation.findings import Code, Finding, join, of_problem
from sluice.domain.definition.validation.outline import Outline, StepAt
from sluice.domain.definition.validation.sketches import Place, surely_right
from sluice.domain.expressions import Expected, Scope, ValueType, compile_value

Path = tuple[str | int, ...]

LITERAL: Mapping[tuple[str, ...], frozenset[str]] = MappingProxyType(
    {
        ("action", "python"): frozenset({"code", "file", "requirements", "lock"}),
        ("action", "container"): frozenset({"script"}),
        ("data",): frozenset({"query"}),
        ("agent",): frozenset({"output"}),
        ("logic", "switch"): frozenset({"cases"}),
    }
)
"""Fields of a kind that are text of another language, or that have their own checks."""

EXPECTED: Mapping[tuple[str, ...], Mapping[str, Expected]] = MappingProxyType(
    {
        ("action", "http"): {"url": Expected.TEXT, "path": Expected.TEXT},
        ("agent",): {"prompt": Expected.TEXT, "instructions": Expected.TEXT},
        ("notify",): {"text": Expected.TEXT, "subject": Expected.TEXT},
        ("approval",): {"summary": Expected.TEXT},
        ("logic", "forEach"): {"in": Expected.LIST},
        ("logic", "while"): {"condition": Expected.BOOLEAN},
        ("logic", "wait"): {"for": Expected.DURATION},
    }
)
"""What certain fields take; every other field takes any value."""

BEFORE_A_VERSION = ("payload", "params", "trigger")
"""What is known when the version of a run is chosen."""


def check_expressions(outline: Outline) -> Iterator[Finding]:
    """Every finding about expressions, in the order of the definition."""
    for graph in outline.graphs():
        params = frozenset(parameter_types(graph.params).items())
        handlers = {name for step in graph.steps for name in [(step.body.get("onError") or {}).get("goto")] if name}
        for step in graph.steps:
            place = Place(graph, params, step.name, error=graph.final or step.name in handlers)
            yield from _check_step(step, place)
        # Outputs are put together at the very end of a run, when finally is over too.
        end = Place(graph, params, also=outline.final.names if graph is outline.main else frozenset())
        for name, value in graph.outputs.items():
            yield from check_value(value, end, join(graph.field, "outputs", name))
    yield from _check_early(outline)
    yield from _check_constants(outline)


def parameter_types(params: Mapping[str, Mapping[str, Any]]) -> dict[str, ValueType]:
    """The declared parameters as expressions know them."""
    return {name: ValueType(declared["type"]) for name, declared in params.items()}


def check_value(value: Any, place: Place, field: str, expected: Expected = Expected.ANY) -> Iterator[Finding]:
    """The findings about one value and all templates in it."""
    if isinstance(value, str) and "${" not in value:
        if expected in (Expected.BOOLEAN, Expected.LIST, Expected.MAP, Expected.INTEGER):
            message = f"this is text, and {expected.value} is expected; write an expression: ${{ {value or '...'} }}"
            yield Finding(field, message.replace("\n", " "), code=Code.EXPRESSION)
        return
    if isinstance(value, bool | int | float) or value is None or surely_right(value, place, expected):
        return
    compiled = compile_value(value, place.scope, expected=expected)
    if isinstance(compiled, list):
        for problem in compiled:
            yield of_problem(problem, field, Code.EXPRESSION)


def _check_step(step: StepAt, place: Place) -> Iterator[Finding]:
    body = step.body
    if body.get("when") is not None:
        yield from check_value(body["when"], place, step.at("when"), Expected.BOOLEAN)
    retry = body.get("retry")
    if retry and retry.get("when") is not None:
        failed = replace(place, error=True)
        yield from check_value(retry["when"], failed, step.at("retry", "when"), Expected.BOOLEAN)
    for name, value in ((body.get("artifacts") or {}).get("in") or {}).items():
        yield from check_value(value, place, step.at("artifacts", "in", name))
    kind = step.kind
    literal, expected = LITERAL.get(kind, frozenset()), EXPECTED.get(kind, {})
    for name, value in step.spec.items() if kind else ():
        if name not in literal:
            yield from check_value(value, place, step.at(*kind, name), expected.get(name, Expected.ANY))
    if kind == ("logic", "switch"):
        for index, case in enumerate(step.spec["cases"]):
            where = step.at("logic", "switch", "cases", index, "when")
            yield from check_value(case["when"], place, where, Expected.BOOLEAN)


def _check_early(outline: Outline) -> Iterator[Finding]:
    """What is evaluated before a version is chosen, or before there is a run, sees less."""
    sticky = outline.definition.get("stickyKey")
    if sticky is not None:
        scope = Scope(params=parameter_types(outline.main.params))
        yield from _check_restricted(sticky, scope, join(outline.field, "stickyKey"), BEFORE_A_VERSION)
    event = (outline.definition.get("trigger") or {}).get("event") or {}
    if event.get("filter") is not None:
        where = join(outline.field, "trigger", "event", "filter")
        yield from _check_restricted(event["filter"], Scope(), where, ("payload",), Expected.BOOLEAN)


def _check_restricted(
    value: str, scope: Scope, field: str, roots: tuple[str, ...], expected: Expected = Expected.ANY
) -> Iterator[Finding]:
    if "${" not in value:
        message = f"this is the same for every run; write an expression over {' or '.join(roots)}"
        yield Finding(field, message, code=Code.EXPRESSION)
        return
    compiled = compile_value(value, scope, expected=expected)
    if isinstance(compiled, list):
        for problem in compiled:
            yield of_problem(problem, field, Code.EXPRESSION)
        return
    for name in sorted({name.partition(".")[0] for name in compiled.names} - set(roots)):
        message = f"{name} is not known yet when this is evaluated; use {' or '.join(roots)}"
        yield Finding(field, message, code=Code.EXPRESSION)


def _check_constants(outline: Outline) -> Iterator[Finding]:
    """What is the same for every run, and so never evaluated."""
    definition = outline.definition
    places: list[tuple[str, Any]] = [(join(outline.field, "context"), definition.get("context"))]
    for graph in outline.graphs():
        if not graph.final:
            places += [
                (join(graph.field, "params", name, "default"), declared.get("default"))
                for name, declared in graph.params.items()
            ]
    schedule = (definition.get("trigger") or {}).get("schedule") or {}
    places.append((join(outline.field, "trigger", "schedule", "payload"), schedule.get("payload")))
    for field, value in places:
        for path in _templates_in(value):
            message = "expressions are not evaluated here, the value is the same for every run; set it in a step"
            yield Finding(join(field, *path), message, code=Code.EXPRESSION)


def _templates_in(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, str) and "${" in value:
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _templates_in(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates_in(item, (*path, index))
