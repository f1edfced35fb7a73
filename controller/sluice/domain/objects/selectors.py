"""Label and field selectors in the syntax of Kubernetes: ``a=b,c!=d,e in (f,g),h,!i`` and ``metadata.name=x``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sluice.domain.objects.metadata import label_value_rule, qualified_name_rule

Operator = Literal["in", "notin", "exists", "absent"]

METADATA_FIELDS = ("metadata.name", "metadata.namespace")

_TOKEN = re.compile(r"\s*(==|!=|=|!|,|\(|\)|[^\s=!,()]+)")
_FIELD_TERM = re.compile(r"((?:[^=!,\\]|\\.)+)(==|!=|=)((?:[^,=\\]|\\.)*)")


class BadSelector(ValueError):
    """The selector can't be read, or names a field that can't be selected."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on the value of ``key``; ``in`` and ``notin`` compare with ``values``."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def met_by(self, values: Mapping[str, str]) -> bool:
        """True if ``values`` fulfil it; a missing key fulfils ``notin`` and ``absent``."""
        value = values.get(self.key)
        match self.operator:
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "absent":
                return value is None


@dataclass(frozen=True, slots=True)
class Matcher:
    """A compiled selector. Without requirements it matches everything (``matches_all``)."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    @property
    def matches_all(self) -> bool:
        """True if there is nothing to check."""
        return not self.labels and not self.fields

    def matches(self, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
        """True if an object with these labels and selectable field values is selected."""
        return all(one.met_by(labels) for one in self.labels) and all(one.met_by(fields) for one in self.fields)


@lru_cache(maxsize=1024)
def parse_selector(labels: str, fields: str, selectable: tuple[str, ...] = ()) -> Matcher:
    """Compile both selectors; ``selectable`` are the kind's field paths beside name and namespace. Raises BadSelector."""
    return Matcher(_parse_labels(labels), _parse_fields(fields, METADATA_FIELDS + selectable))


def field_values(obj: Mapping[str, Any], paths: Iterable[str]) -> dict[str, str]:
    """The values of ``paths`` in ``obj`` as field selectors compare them: strings, absent ones empty."""
    return {path: _text(_at(obj, _parts(path))) for path in paths}


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _parse_fields(text: str, known: tuple[str, ...]) -> tuple[Requirement, ...]:
    requirements = []
    position = 0
    while position < len(text):
        term = _FIELD_TERM.match(text, position)
        if term is None or (term.end() < len(text) and text[term.end()] != ","):
            raise BadSelector(
                f"invalid selector: '{text}'; can't understand '{text[position:]}'; write field=value,field!=value"
            )
        key, operator, value = term.groups()
        key = key.strip()
        if key not in known:
            raise BadSelector(f"field label not supported: {key}; supported are {', '.join(known)}")
        unescaped = re.sub(r"\\(.)", r"\1", value)
        requirements.append(Requirement(key, "notin" if operator == "!=" else "in", frozenset([unescaped])))
        position = term.end() + 1
    return tuple(requirements)


def _parse_labels(text: str) -> tuple[Requirement, ...]:
    tokens = _Tokens(text)
    requirements: list[Requirement] = []
    while not tokens.at_end:
        if requirements:
            tokens.expect(",")
        requirements.append(_parse_label_term(tokens))
    return tuple(requirements)


def _parse_label_term(tokens: _Tokens) -> Requirement:
    if tokens.accept("!"):
        return Requirement(_key(tokens), "absent")
    key = _key(tokens)
    if tokens.at_end or tokens.peek == ",":
        return Requirement(key, "exists")
    operator = tokens.take()
    match operator:
        case "=" | "==":
            return Requirement(key, "in", frozenset([_value(tokens)]))
        case "!=":
            return Requirement(key, "notin", frozenset([_value(tokens)]))
        case "in" | "notin":
            return Requirement(key, operator, _values(tokens))
    raise tokens.error(f"found '{operator}', expected: in, notin, =, ==, !=")


def _key(tokens: _Tokens) -> str:
    key = tokens.take()
    if rule := qualified_name_rule(key):
        raise tokens.error(f"key '{key}': {rule}")
    return key


def _value(tokens: _Tokens) -> str:
    if tokens.at_end or tokens.peek == ",":
        return ""
    value = tokens.take()
    if rule := label_value_rule(value):
        raise tokens.error(f"value '{value}': {rule}")
    return value


def _values(tokens: _Tokens) -> frozenset[str]:
    tokens.expect("(")
    values: set[str] = set()
    while not tokens.accept(")"):
        if values:
            tokens.expect(",")
        values.add("" if tokens.peek in {",", ")"} else _value(tokens))
    return frozenset(values)


class _Tokens:
    """The words and signs of a label selector, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        self._next = 0

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._tokens)

    @property
    def peek(self) -> str:
        return "" if self.at_end else self._tokens[self._next]

    def take(self) -> str:
        if self.at_end:
            raise self.error("it ends too early")
        self._next += 1
        return str(self._tokens[self._next - 1])

    def accept(self, token: str) -> bool:
        if self.peek != token:
            return False
        self._next += 1
        return True

    def expect(self, token: str) -> None:
        found = self.take()
        if found != token:
            raise self.error(f"found '{found}', expected: {token}")

    def error(self, what: str) -> BadSelector:
        return BadSelector(f"unable to parse requirement in '{self._text}': {what}")
