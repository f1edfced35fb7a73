"""The Compiler port in this process."""

from __future__ import annotations

from typing import Any

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.shapes import plain
from sluice.ports.compiler import Compiled

LATEST = 0


class DefinitionCompiler:
    """Canonicalizes, validates and digests on the caller's thread."""

    def compile(self, workflow: dict[str, Any], definition: dict[str, Any], level: int) -> Compiled:
        """See the port. ``level`` 0 is the newest."""
        canonical = canonicalize(definition, level) if level else canonicalize(definition)
        return Compiled(digest(canonical, level) if level else digest(canonical), plain(canonical))
