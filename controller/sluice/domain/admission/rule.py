"""One rule, said twice: as CEL for a Kubernetes API server, as a Python predicate for the embedded one.

Both stand side by side so that nobody changes one without seeing the other, and a test evaluates both on the same objects.
``self`` is the value at the place of the rule, ``oldSelf`` the stored one; a rule that speaks of ``oldSelf`` applies only
where there was a value before, as on a Kubernetes API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sluice.domain.admission.equality import same

Predicate = Callable[[Any, Any], bool]
"""From the new and the old value (None where there was none) to whether the rule holds."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule about one value. ``field`` names the child that a violation is reported at, empty for the value itself."""

    cel: str
    message: str
    holds: Predicate
    field: str = ""

    @property
    def is_transition(self) -> bool:
        """Whether it compares with what was stored before."""
        return "oldSelf" in self.cel

    def as_validation(self) -> dict[str, str]:
        """The rule as an entry of ``x-kubernetes-validations``."""
        entry = {"rule": self.cel, "message": self.message}
        if self.field:
            entry["fieldPath"] = f".{self.field}"
        return entry


# fmt: off
_CEL_RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})
# fmt: on


def member(name: str) -> str:
    """``self.<name>``, with the escapes that Kubernetes has for words of CEL's own."""
    return f"self.__{name}__" if name in _CEL_RESERVED else f"self.{name}"


def _old(name: str) -> str:
    return member(name).replace("self", "oldSelf", 1)


def one_of(keys: Sequence[str]) -> Rule:
    """Exactly one of ``keys`` is there."""
    names = frozenset(keys)
    present = ", ".join(f"has({member(key)})" for key in keys)
    return Rule(
        cel=f"[{present}].exists_one(present, present)",
        message=f"must have exactly one of {', '.join(keys)}",
        holds=lambda new, _: len(names & new.keys()) == 1,
    )


def at_most_one(keys: Sequence[str]) -> Rule:
    """Not two of ``keys`` at a time."""
    names = frozenset(keys)
    present = ", ".join(f"has({member(key)})" for key in keys)
    return Rule(
        cel=f"[{present}].filter(present, present).size() <= 1",
        message=f"must have at most one of {', '.join(keys)}",
        holds=lambda new, _: len(names & new.keys()) <= 1,
    )


def keys_match(pattern: str) -> Rule:
    """Every key of a map matches ``pattern``."""
    matches = python_pattern(pattern)
    return Rule(
        cel=f"self.all(key, key.matches('{_quoted(pattern)}'))",
        message=f"every key must match {pattern}",
        holds=lambda new, _: all(matches(key) for key in new),
    )


def frozen(field: str, message: str = "") -> Rule:
    """A field that never changes once the object exists: not its value, not whether it is there."""
    return Rule(
        cel=(
            f"has({member(field)}) == has({_old(field)}) && (!has({member(field)}) || {member(field)} == {_old(field)})"
        ),
        message=message or f"{field} is immutable",
        holds=lambda new, old: (field in new) == (field in old) and same(new.get(field), old.get(field)),
        field=field,
    )


def kept(field: str, message: str) -> Rule:
    """A field that is not removed once it is there; what it may become is said by rules of its own."""
    return Rule(
        cel=f"!has({_old(field)}) || has({member(field)})",
        message=message,
        holds=lambda new, old: field not in old or field in new,
        field=field,
    )


def unchanged(message: str) -> Rule:
    """The value is as it was."""
    return Rule(cel="self == oldSelf", message=message, holds=same)


def entries_stay(message: str) -> Rule:
    """Entries may be added to a map; those that are there neither change nor go."""
    return Rule(
        cel="oldSelf.all(key, key in self && self[key] == oldSelf[key])",
        message=message,
        holds=lambda new, old: all(key in new and same(new[key], value) for key, value in old.items()),
    )


def rule_of(validation: Mapping[str, str], known: Mapping[str, Rule]) -> Rule:
    """The rule that an entry of ``x-kubernetes-validations`` stands for; ``known`` is by CEL text.

    KeyError names a rule that has no predicate: the schema is then newer than the program.
    """
    return replace(
        _meant_by(validation["rule"], known),
        message=validation["message"],
        field=validation.get("fieldPath", "").removeprefix("."),
    )


def _meant_by(text: str, known: Mapping[str, Rule]) -> Rule:
    if text in known:
        return known[text]
    if keys := _ONE_OF.match(text):
        return one_of(re.findall(r"has\(self\.(?:__)?(\w+?)(?:__)?\)", keys[1]))
    if pattern := _KEYS.match(text):
        return keys_match(re.sub(r"\\(.)", r"\1", pattern[1]))
    raise KeyError(f"no predicate for the rule {text!r}; regenerate the schemas")


@lru_cache(maxsize=256)
def python_pattern(pattern: str) -> Callable[[str], object]:
    """Searches as Go's RE2 does: ASCII classes, and ``$`` is the end of the text, not of a last line."""
    text = f"{pattern[:-1]}\\Z" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern
    return re.compile(text, re.ASCII).search


def _quoted(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace("'", "\\'")


_ONE_OF = re.compile(r"^\[(.*)\]\.exists_one\(present, present\)$")
_KEYS = re.compile(r"^self\.all\(key, key\.matches\('(.*)'\)\)$")
