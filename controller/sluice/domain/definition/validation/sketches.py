"""Expressions that are surely right, told quickly.

To compile one takes about 50 microseconds, and a large definition has more than a thousand. What decides whether it is
right is mostly the same in all of them: the checker looks at types, and what a text or a small number says, which step is
meant, and how a field of untyped data is called, make no difference to a type. So an expression is sketched, with one
spelling for each of these, and a sketch is compiled once, whoever wrote it. Where a sketch can't stand for the expression,
or there is anything to say about it, it is left to the compiler, which has the words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from sluice.domain.definition.validation.outline import GraphAt
from sluice.domain.expressions import Expected, Scope, ValueType
from sluice.domain.expressions.environment import checker
from sluice.domain.expressions.scope import ROOTS, Declared, names_in
from sluice.domain.expressions.template import Hole, TemplateError, parse

LONGEST = 1024
"""Characters of a template that is sketched."""
MOST_KNOWN = 4096
"""Templates, and sketches; together with their length, this bounds the memory."""
DEEPEST = 32
"""Levels of a value; far fewer than the compiler takes."""

_SIMPLE = re.compile(r"""([^$]*)\$\{((?:[^{}'"/$]+|'[^'\\\n\r]*'|"[^"\\\n\r]*")*+)\}([^$]*)""")
"""Text around one expression, with nothing in it that could hide where it ends."""

_RESERVED = "|".join(
    ["as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace",
     "null", "package", "return", "true", "var", "void", "while"]
)  # fmt: skip
"""Words of CEL; some of them can't be fields."""
_PART = re.compile(
    rf"""(?P<strange>[\\`\0]|'''|\"{{3}}|//|(?<!\w)_)
    |(?P<text>'[^'\\\n\r\0]*'|"[^"\\\n\r\0]*\")
    |(?<![\w.])(?:
        steps\.(?P<step>\w+)(?P<output>\.output(?!\w))?
        |params\.(?P<param>\w+)
        |(?P<root>payload|context)(?=\.)
        |(?P<lone>steps|params)(?!\w)
        |[0-9]{{1,9}}(?![\w.])
    )
    (?P<fields>(?:\.\??(?!(?:{_RESERVED})(?!\w))[A-Za-z]\w*(?!\w|\s*[({{]))*)""",
    re.VERBOSE,
)
_FIELD = re.compile(r"[A-Za-z]\w*")
_HAS = re.compile(r"(?<![\w.])has\s*\(")
_TESTED = re.compile(r"(?<![\w.])has\(\s*(?:(?:payload|context)|steps\.\w+\.output)\.[\w.]+\s*\)")

_TYPES = {kind: f"_{kind.value}" for kind in ValueType if kind.value.isalpha()}
_STEP, _PARAMS = frozenset({"_"}), frozenset((name, kind) for kind, name in _TYPES.items())

_FITTING: Mapping[Expected, str] = {
    Expected.BOOLEAN: "BOOL",
    Expected.TEXT: "STRING",
    Expected.INTEGER: "INT",
    Expected.LIST: "LIST",
    Expected.MAP: "MAP",
    Expected.DURATION: "STRING",
}
_NEVER = frozenset({"", "TYPE", "optional_type"})


Params = frozenset[tuple[str, ValueType]]
"""Parameters with their types."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """``text`` stands for ``source`` where all ``steps`` that it names are seen."""

    text: str
    source: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A template's expressions; ``is_whole``: there is nothing but one."""

    sketches: tuple[Sketch, ...]
    is_whole: bool


@dataclass(frozen=True)
class Place:
    """Where expressions stand: in ``step`` of a graph, or after all of its steps and those ``also`` named."""

    graph: GraphAt
    params: Params
    step: str | None = None
    error: bool = False
    also: frozenset[str] = field(default=frozenset())

    def sees(self, name: str) -> bool:
        """Whether a step has surely ended before."""
        if self.step is not None:
            return self.graph.sees(self.step, name)
        return name in self.graph.names or name in self.graph.outside or name in self.also

    @cached_property
    def scope(self) -> Scope:
        """The same for the compiler."""
        known = self.graph.names | self.graph.outside | self.also
        steps = known if self.step is None else self.graph.visible(self.step)
        return Scope(steps=steps, known=known, params=dict(self.params), error=self.error, local=self.graph.local)


def surely_right(value: Any, place: Place, expected: Expected = Expected.ANY, depth: int = 0) -> bool:
    """Whether all templates in ``value`` are right; where this is False, only the compiler knows."""
    match value:
        case str():
            return "${" not in value or _template(value, place, expected)
        case dict():
            items: Any = value.values()
        case list():
            items = value
        case _:
            return value is None or isinstance(value, bool | int | float)
    return depth < DEEPEST and all(surely_right(item, place, depth=depth + 1) for item in items)


def _template(text: str, place: Place, expected: Expected) -> bool:
    if len(text) > LONGEST:
        return False
    drawn = _draw(text, place.params if "params" in text else frozenset())
    if drawn is None:
        return False
    if drawn.is_whole:
        return _fits(_type_at(place, drawn.sketches[0]), expected)
    is_text = expected in (Expected.ANY, Expected.TEXT, Expected.DURATION)
    return is_text and all(_fits(_type_at(place, each), Expected.ANY) for each in drawn.sketches)


def _fits(kind: str, expected: Expected) -> bool:
    return kind not in _NEVER and (expected is Expected.ANY or kind in ("DYN", _FITTING[expected]))


def _type_at(place: Place, drawn: Sketch) -> str:
    """The type of an expression that is surely right there, as the checker calls it; nothing for one that may not be."""
    local = place.graph.local & names_in(drawn.source) if place.graph.local else frozenset()
    if not local.isdisjoint(ROOTS) or not all(map(place.sees, drawn.steps)):
        return ""
    return _type_of(drawn.text, place.error, local)


@lru_cache(maxsize=MOST_KNOWN)
def _type_of(sketched: str, error: bool, local: frozenset[str]) -> str:
    environment = checker(Declared(_STEP, _PARAMS, error, local))
    try:
        return str(environment.compile(sketched).return_type().name()).partition("<")[0]
    except RuntimeError:
        return ""


@lru_cache(maxsize=MOST_KNOWN)
def _draw(text: str, params: Params) -> Drawing | None:
    if simple := _SIMPLE.fullmatch(text):
        before, source, after = simple.groups()
        sources, is_whole = [source], not before and not after
    else:
        try:
            template = parse(text)
        except TemplateError:
            return None
        sources, is_whole = (
            [part.source for part in template.parts if isinstance(part, Hole)],
            template.single is not None,
        )
    sketches = [drawn for source in sources if (drawn := sketch(source, params)) is not None]
    return Drawing(tuple(sketches), is_whole) if len(sketches) == len(sources) else None


def sketch(source: str, params: Params = frozenset()) -> Sketch | None:
    """The expression with one spelling for all that has no type of its own; None where that can't be said."""
    if not source.isascii() or ("has" in source and len(_HAS.findall(source)) != len(_TESTED.findall(source))):
        return None
    kinds = dict(params)
    steps: list[str] = []
    is_known = True

    def drawn(part: re.Match[str]) -> str:
        nonlocal is_known
        strange, text, step, output, param, root, lone, fields = part.groups()
        if text:
            return "'s'"
        if root:
            return root + _FIELD.sub("_", fields)
        if step:
            steps.append(step)
            return f"steps._{output}{_FIELD.sub('_', fields)}" if output else f"steps._{fields}"
        if param:
            is_known = is_known and param in kinds
            return f"params.{_TYPES[kinds.get(param, ValueType.ANY)]}{fields}"
        is_known = is_known and not strange and not lone
        return "1"

    text = _PART.sub(drawn, source)
    return Sketch(text, source, tuple(steps)) if is_known else None
