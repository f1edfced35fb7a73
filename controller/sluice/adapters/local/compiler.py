"""The Compiler port in this process."""

from __future__ import annotations

from typing import Any

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.shapes import LATEST, plain
from sluice.ports.compiler import Compiled


class DefinitionCompiler:
    """Canonicalizes, validates and digests on the caller's thread."""

    def compile(self, workflow: dict[str, Any], definition: dict[str, Any], level: int) -> Compiled:
        """See the port."""
        level = level or LATEST
        canonical = canonicalize(definition, level)
        return Compiled(digest(canonical, level), level, plain(canonical))
