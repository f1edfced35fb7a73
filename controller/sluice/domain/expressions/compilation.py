"""Compile templates and check their types, before anything runs.

`compile_value` takes any JSON; strings in it are templates, keys are literal, and so are the strings under the keys of
``literal_fields``. It answers with a compiled value or with all the problems, and raises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sluice.domain.expressions.checked import essence, read_facts
from sluice.domain.expressions.compiled import Compiled, CompiledList, CompiledMap, CompiledValue, Joined, Literal
from sluice.domain.expressions.complaints import problems_of
from sluice.domain.expressions.environment import checker, runtime
from sluice.domain.expressions.problems import Problem, problem_at
from sluice.domain.expressions.scope import Scope, ValueType, declarations, names_in
from sluice.domain.expressions.template import Hole, Template, TemplateError, Text, parse, without_strings

LITERAL_FIELDS = frozenset({"code", "script", "schema", "description"})
MAX_EXPRESSION_BYTES = 16 * 1024
MAX_DEPTH = 64
_HAS = re.compile(r"\bhas\s*\(\s*([\w\s.]+?)\s*\)")


class Expected(StrEnum):
    """What the place of a template takes. A value that is only known in a run is checked there, by its reader."""

    ANY = "any value"
    BOOLEAN = "true or false"
    TEXT = "text"
    INTEGER = "an integer"
    LIST = "a list"
    MAP = "a map"
    DURATION = "a duration"


_ACCEPTED: Mapping[Expected, tuple[str, ...]] = {
    Expected.BOOLEAN: ("BOOL",),
    Expected.TEXT: ("STRING",),
    Expected.INTEGER: ("INT", "UINT"),
    Expected.LIST: ("LIST",),
    Expected.MAP: ("MAP",),
    Expected.DURATION: ("DURATION", "STRING"),
}


def compile_expression(source: str, scope: Scope, *, expected: Expected = Expected.ANY) -> Compiled | list[Problem]:
    """Check one expression, written without ``${ }``; the problems' offsets count from its start."""
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError as error:
        return [problem_at(source, error.start, "half of a surrogate pair is no character; write the character itself")]
    if size > MAX_EXPRESSION_BYTES:
        return [Problem(f"the expression has {size} bytes; {MAX_EXPRESSION_BYTES} are the limit, split it")]
    if "\0" in source:
        return [problem_at(source, source.index("\0"), "a NUL character can't stand in an expression; write \\u0000")]
    declared = declarations(scope, names_in(source))
    outcome = _checked(source, frozenset(declared.items()))
    if isinstance(outcome, str):
        return problems_of(source, outcome, scope)
    compiled, returned = outcome
    if complaint := _unsuitable(returned, expected):
        return [Problem(complaint)]
    if tested := _tested_variable(source, declared):
        return [tested]
    return compiled


@lru_cache(maxsize=4096)
def _checked(source: str, declared: frozenset[tuple[str, ValueType]]) -> tuple[Compiled, str] | str:
    """The expression and the type it returns, or the checker's report. Definitions are compiled again and again."""
    try:
        checked = checker(declared).compile(source)
    except RuntimeError as error:
        return str(error)
    serialized = checked.serialize()
    facts = read_facts(serialized)
    essential = essence(serialized)
    names = facts.names.intersection(name for name, _ in declared)
    compiled = Compiled(source.strip(), names, facts.cost, essential, runtime().deserialize(essential))
    return compiled, checked.return_type().name()


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


def _unsuitable(returned: str, expected: Expected) -> str | None:
    """Why a result of this type can't stand where it is, as far as the checker knows."""
    kind = returned.partition("<")[0]
    if kind == "optional_type":
        return "the value is optional; end it with .orValue(...), as in payload.?x.orValue('')"
    if kind == "TYPE":
        return "the value is a type; use type(x) in comparisons only"
    if expected is Expected.ANY or kind in ("DYN", *_ACCEPTED[expected]):
        return None
    return f"{expected.value} is expected here, and this is of type {returned.lower()}"


def _tested_variable(source: str, declared: Mapping[str, ValueType]) -> Problem | None:
    """``has(steps.a.output)`` passes the checker, and would answer with the output itself instead of true or false."""
    for test in _HAS.finditer(without_strings(source)):
        name = "".join(test[1].split())
        if name in declared:
            hint = f"has({name}.field) asks for a field of it"
            return problem_at(source, test.start(1), f"{name} is always there, so has({name}) asks nothing; {hint}")
    return None
