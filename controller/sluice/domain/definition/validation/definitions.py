"""Validate a definition: shape first, then what its parts say of each other, then expressions, code and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.api.definition import Definition
from sluice.domain.definition.validation.advice import advise
from sluice.domain.definition.validation.code_steps import check_code_steps
from sluice.domain.definition.validation.expressions import check_expressions
from sluice.domain.definition.validation.findings import Code, Finding, join
from sluice.domain.definition.validation.outline import Outline
from sluice.domain.definition.validation.references import check_references
from sluice.domain.definition.validation.shape import check_shape
from sluice.domain.definition.validation.step_rules import check_step_rules
from sluice.domain.definition.validation.unions import check_kinds, check_spelling, check_trigger
from sluice.domain.definition.validation.values import check_values

MAX_BYTES = 128 * 1024
"""As JSON. Client-side apply stores a definition a second time, in an annotation that may have 256 KiB."""

MAX_STEPS = 500
"""In each graph."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a definition stands. With ``files`` a Python step may still name the file that will become its code."""

    field: str = "spec.definition"
    files: bool = False


def validate(definition: Any, context: Context | None = None) -> list[Finding]:
    """All findings about a definition as it was written, in any spelling; the errors of one stage keep the later ones
    from being looked for, since they would only repeat it."""
    context = context or Context()
    for check in (_bounds, _shape, _unions):
        found = list(check(definition, context))
        if found:
            return found
    outline = Outline(context.field, definition)
    found = list(check_references(outline)) or list(_contents(outline, context)) or advise(outline)
    # A build that promotes is two steps with one error branch: what is wrong with it is said once.
    return list(dict.fromkeys(found))


def _bounds(definition: Any, context: Context) -> Iterator[Finding]:
    """What is too large is refused before it costs anything."""
    if not isinstance(definition, Mapping):
        return
    for key in ("steps", "tasks", "nodes", "finally"):
        size = len(definition[key]) if isinstance(definition.get(key), list | Mapping) else 0
        if size > MAX_STEPS:
            message = f"it has {size} entries and {MAX_STEPS} are the limit; split the workflow, or loop over a graph"
            yield Finding(join(context.field, key), message, code=Code.TOO_LARGE)
            return
    try:
        size = len(orjson.dumps(definition, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, RecursionError):
        return
    if size > MAX_BYTES:
        message = f"it has {size} bytes as JSON and {MAX_BYTES} are the limit; move code and data out of it"
        yield Finding(context.field, message, code=Code.TOO_LARGE)


def _shape(definition: Any, context: Context) -> Iterator[Finding]:
    yield from check_shape(Definition, definition, context.field)


def _unions(definition: Mapping[str, Any], context: Context) -> Iterator[Finding]:
    yield from check_spelling(definition, context.field)
    yield from check_trigger(definition, context.field)
    yield from check_kinds(definition, context.field)


def _contents(outline: Outline, context: Context) -> Iterator[Finding]:
    yield from check_step_rules(outline)
    yield from check_values(outline)
    yield from check_code_steps(outline, files=context.files)
    yield from check_expressions(outline)
