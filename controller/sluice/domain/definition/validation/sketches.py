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
from sluice.domain.expressions import Expected, Scope, ValueType, is_identifier
from sluice.domain.expressions.environment import checker
from sluice.domain.expressions.scope import ROOTS, Declared, names_in
from sluice.domain.expressions.template import Hole, TemplateError, parse

LONGEST = 1024
"""Characters of an expression that is sketched."""
MOST_KNOWN = 4096
"""Sketches; together with their length, this bounds the memory."""
DEEPEST = 32
"""Levels of a value; far fewer than the compiler takes."""

_SIMPLE = re.compile(r"""\$\{([^{}'"/$]*)\}""")
"""One expression, with nothing in it that could hide where it ends."""

_STRANGE = re.compile(r"""[\\`\0]|'''|\"{3}|(?<!\w)_""")
"""What a sketch doesn't understand, or would use itself."""

_PART = re.compile(
    r"""'[^'\n\r]*'|"[^"\n\r]*\"
    |(?<![\w.])(?:
        steps\.(?P<step>\w+)(?P<output>\.output(?!\w))?
        |params\.(?P<param>\w+)
        |(?P<root>payload|context)(?=\.)
        |(?P<lone>steps|params)(?!\w)
        |[0-9]{1,9}(?![\w.])
    )
    (?P<fields>(?:\.\??[A-Za-z]\w*(?!\w|\s*[({]))*)
    |//""",
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


@dataclass(frozen=True)
class Place:
    """Where expressions stand: in ``step`` of a graph, or after all of its steps and those ``also`` named."""

    graph: GraphAt
    params: Mapping[str, ValueType]
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
        return Scope(steps=steps, known=known, params=self.params, error=self.error, local=self.graph.local)


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
    if simple := _SIMPLE.fullmatch(text):
        return _fits(type_of(simple[1], place), expected)
    try:
        template = parse(text)
    except TemplateError:
        return False
    if template.single is not None:
        return _fits(type_of(template.single.source, place), expected)
    is_text = expected in (Expected.ANY, Expected.TEXT, Expected.DURATION)
    holes = (part for part in template.parts if isinstance(part, Hole))
    return is_text and all(_fits(type_of(hole.source, place), Expected.ANY) for hole in holes)


def _fits(kind: str, expected: Expected) -> bool:
    return kind not in _NEVER and (expected is Expected.ANY or kind in ("DYN", _FITTING[expected]))


def type_of(source: str, place: Place) -> str:
    """The type of an expression that is surely right, as the checker calls it; nothing for one that may not be."""
    drawn = sketch(source, place)
    if drawn is None:
        return ""
    local = place.graph.local & names_in(source) if place.graph.local else frozenset()
    if not local.isdisjoint(ROOTS):
        return ""
    return _type_of_sketch(drawn, place.error, local)


def sketch(source: str, place: Place) -> str | None:
    """The expression with one name for all that has no type of its own; None where that can't be said."""
    if len(source) > LONGEST or not source.isascii() or _STRANGE.search(source):
        return None
    is_known = True

    def drawn(part: re.Match[str]) -> str:
        nonlocal is_known
        text, step, param, root = part[0], part["step"], part["param"], part["root"]
        if text[0] in "'\"":
            return "'s'"
        if root:
            return root + _drawn_fields(part["fields"])
        if step:
            is_known = is_known and place.sees(step)
            return f"steps._.output{_drawn_fields(part['fields'])}" if part["output"] else f"steps._{part['fields']}"
        if param in place.params:
            return f"params.{_TYPES[place.params[param]]}{part['fields']}"
        is_known = is_known and text[0].isdigit()
        return "1"

    found = _PART.sub(drawn, source)
    if "has" in source and len(_HAS.findall(source)) != len(_TESTED.findall(source)):
        return None
    return found if is_known else None


@lru_cache(maxsize=MOST_KNOWN)
def _drawn_fields(fields: str) -> str:
    """A word that CEL reserves is no field everywhere, so it stays."""
    return _FIELD.sub(lambda name: "_" if is_identifier(name[0]) else name[0], fields)


@lru_cache(maxsize=MOST_KNOWN)
def _type_of_sketch(drawn: str, error: bool, local: frozenset[str]) -> str:
    try:
        return str(checker(Declared(_STEP, _PARAMS, error, local)).compile(drawn).return_type().name()).partition("<")[
            0
        ]
    except RuntimeError:
        return ""
