"""The Compiler port in this process."""

from __future__ import annotations

from typing import Any

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.shapes import LATEST, plain
from sluice.domain.definition.validation.execution import not_executable
from sluice.domain.definition.validation.findings import errors
from sluice.domain.definition.validation.objects import validate_object
from sluice.ports.compiler import Compiled


class DefinitionCompiler:
    """Canonicalizes, validates and digests on the caller's thread."""

    def compile(self, workflow: dict[str, Any], definition: dict[str, Any], level: int) -> Compiled:
        """See the port."""
        level = level or LATEST
        drafted = {**workflow, "spec": {**workflow["spec"], "definition": definition}}
        drafted["spec"].pop("definitionFrom", None)
        findings = tuple(str(finding) for finding in errors(validate_object(drafted)))
        if findings:
            return Compiled("", level, findings=findings)
        canonical = canonicalize(definition, level)
        refused = tuple(str(finding) for finding in not_executable(definition))
        return Compiled(digest(canonical, level), level, plain(canonical), not_executable=refused)

    def not_executable(self, definition: dict[str, Any]) -> tuple[str, ...]:
        """See the port."""
        return tuple(str(finding) for finding in not_executable(definition))
