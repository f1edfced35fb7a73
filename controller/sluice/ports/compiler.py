"""The Compiler port: turns a draft into what publishing needs to know. Heavy work, so it may happen in another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Compiled:
    """``findings`` are what makes a draft invalid, ``not_executable`` what this release accepts and can't run; one line each.

    ``level`` is the one that ``digest`` was taken at; ``digest`` is empty where the draft is too broken for one.
    """

    digest: str
    level: int
    canonical: dict[str, Any] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    not_executable: tuple[str, ...] = ()


class Compiler(Protocol):
    """Canonicalizes, validates and digests."""

    def compile(self, workflow: dict[str, Any], definition: dict[str, Any], level: int) -> Compiled:
        """``workflow`` is the whole object (for its other rules), ``definition`` the draft; ``level`` 0 is the newest one.

        Never raises for bad input.
        """

    def not_executable(self, definition: dict[str, Any]) -> tuple[str, ...]:
        """What of a published definition this release can't run; one line each."""
