"""What compiling gives: a tree of literals and checked expressions in the shape of the JSON it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from cel_expr_python import cel

from sluice.domain.expressions.conversion import JSON


class Cost(IntEnum):
    """What evaluating an expression takes: a look at values, building new ones, or a visit to all items of some."""

    LOOK = 0
    BUILD = 1
    LOOP = 2


@dataclass(frozen=True, slots=True)
class Literal:
    """JSON without an expression in it; escapes are resolved. Its value is shared: don't change it."""

    value: JSON

    @property
    def names(self) -> frozenset[str]:
        """No variables."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Compiled:
    """One checked expression. ``names`` are the variables it needs, such as ``payload`` or ``steps.a.output``.

    ``checked`` is what a version carries, and equal for equal expressions.
    """

    source: str
    names: frozenset[str]
    cost: Cost
    checked: bytes = field(repr=False)
    program: cel.Expression = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """Text with expressions in it; the value is a string."""

    parts: tuple[str | Compiled, ...]

    @property
    def names(self) -> frozenset[str]:
        """The variables of all parts."""
        return frozenset().union(*(part.names for part in self.parts if isinstance(part, Compiled)))


@dataclass(frozen=True, slots=True)
class CompiledList:
    """A list with an expression somewhere in it."""

    items: tuple[CompiledValue, ...]

    @property
    def names(self) -> frozenset[str]:
        """The variables of all items."""
        return frozenset().union(*(item.names for item in self.items))


@dataclass(frozen=True, slots=True)
class CompiledMap:
    """A map with an expression somewhere in its values; keys are literal."""

    items: Mapping[str, CompiledValue]

    @property
    def names(self) -> frozenset[str]:
        """The variables of all values."""
        return frozenset().union(*(item.names for item in self.items.values()))


CompiledValue: TypeAlias = Literal | Compiled | Joined | CompiledList | CompiledMap
