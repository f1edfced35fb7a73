"""Compile templates and check their types, before anything runs.

`compile_value` takes any JSON; strings in it are templates, keys are literal, and so are the strings under the keys of
``literal_fields``. It answers with a compiled value or with all the problems, and raises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sluice.domain.expressions.checking import Expected, compile_expression
from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Joined, Literal
from sluice.domain.expressions.problems import Problem, problem_at
from sluice.domain.expressions.scope import Scope
from sluice.domain.expressions.template import Hole, Template, TemplateError, Text, parse

LITERAL_FIELDS = frozenset({"code", "script", "schema", "description"})
MAX_DEPTH = 64


def compile_value(
    value: object,
    scope: Scope,
    *,
    expected: Expected = Expected.ANY,
    literal_fields: frozenset[str] = frozenset(),
) -> CompiledValue | list[Problem]:
    """Compile every template in a JSON value. ``expected`` speaks of the value itself, not of what is inside."""
    compiler = _Compiler(scope, literal_fields)
    compiled = compiler.compile(value, expected, depth=0)
    return compiler.problems or compiled


@dataclass(slots=True)
class _Compiler:
    """Walks one JSON value and gathers the problems in the order of the text."""

    scope: Scope
    literal_fields: frozenset[str]
    problems: list[Problem]
    path: list[str | int]

    def __init__(self, scope: Scope, literal_fields: frozenset[str]) -> None:
        self.scope, self.literal_fields, self.problems, self.path = scope, literal_fields, [], []

    def compile(self, value: object, expected: Expected, depth: int) -> CompiledValue:
        if depth > MAX_DEPTH:
            self._report([Problem(f"it nests deeper than {MAX_DEPTH}; make it flatter")])
            return Literal(None)
        if isinstance(value, str):
            return self._template(value, expected)
        if isinstance(value, Mapping):
            return self._map(value, depth)
        if isinstance(value, Sequence):
            return self._list(value, depth)
        if value is None or isinstance(value, bool | int | float):
            return Literal(value)
        self._report([Problem(f"a {type(value).__name__} is no JSON")])
        return Literal(None)

    def _map(self, value: Mapping[object, object], depth: int) -> CompiledValue:
        items: dict[str, CompiledValue] = {}
        for key, item in value.items():
            name = str(key)
            if name in self.literal_fields:
                items[name] = Literal(item)  # type: ignore[arg-type]
                continue
            self.path.append(name)
            items[name] = self.compile(item, Expected.ANY, depth + 1)
            self.path.pop()
        if all(isinstance(item, Literal) for item in items.values()):
            return Literal({key: item.value for key, item in items.items() if isinstance(item, Literal)})
        return CompiledMap(items)

    def _list(self, value: Sequence[object], depth: int) -> CompiledValue:
        items: list[CompiledValue] = []
        for index, item in enumerate(value):
            self.path.append(index)
            items.append(self.compile(item, Expected.ANY, depth + 1))
            self.path.pop()
        if all(isinstance(item, Literal) for item in items):
            return Literal([item.value for item in items if isinstance(item, Literal)])
        return CompiledList(tuple(items))

    def _template(self, text: str, expected: Expected) -> CompiledValue:
        try:
            template = parse(text)
        except TemplateError as error:
            self._report([error.problem])
            return Literal(None)
        if template.literal is not None:
            return Literal(template.literal)
        if template.single is not None:
            return self._hole(text, template.single, expected) or Literal(None)
        return self._joined(text, template, expected)

    def _joined(self, text: str, template: Template, expected: Expected) -> CompiledValue:
        if expected not in (Expected.ANY, Expected.TEXT, Expected.DURATION):
            around = (
                "text stands around the expression, so the value is text; a line break after } counts, end it with |-"
            )
            self._report([problem_at(text, 0, f"{expected.value} is expected here, but {around}")])
        parts: list[str | Compiled] = []
        for part in template.parts:
            match part:
                case Text(text=literal):
                    parts.append(literal)
                case Hole():
                    compiled = self._hole(text, part, Expected.ANY)
                    if compiled is not None:
                        parts.append(compiled)
        return Joined(tuple(parts))

    def _hole(self, text: str, hole: Hole, expected: Expected) -> Compiled | None:
        compiled = compile_expression(hole.source, self.scope, expected=expected)
        if isinstance(compiled, Compiled):
            return compiled
        self._report([problem_at(text, hole.offset + problem.offset, problem.message) for problem in compiled])
        return None

    def _report(self, problems: list[Problem]) -> None:
        self.problems += [problem.under(*self.path) for problem in problems]
