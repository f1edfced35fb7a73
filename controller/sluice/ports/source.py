"""The Source port: where manifests come from. A directory, a git repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One declared object, and where it is written (``file:line``)."""

    obj: dict[str, Any]
    place: str


@dataclass(frozen=True, slots=True)
class Tree:
    """All that a source declares at one moment. With ``errors`` (one line each) nothing of it may be applied."""

    objects: tuple[SourceObject, ...]
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    revision: str = ""


class Source(Protocol):
    """A place that declares objects."""

    @property
    def name(self) -> str:
        """Names the source in labels and field managers: lower case letters, digits and dashes."""

    def read(self) -> Tree:
        """Read and validate everything. Never raises for bad input: it is in ``errors``."""

    def changes(self) -> Iterator[None]:
        """Yields whenever something may have changed; ends after ``close``."""

    def close(self) -> None:
        """End ``changes``. Safe to call twice."""
