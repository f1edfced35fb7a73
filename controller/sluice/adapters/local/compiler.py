"""The Compiler port: small drafts in this process, large ones in the helper process."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.adapters.local.helper_process import HelperDiedError, HelperProcess
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.shapes import LATEST, plain
from sluice.domain.definition.validation.execution import not_executable, settings_without_effect
from sluice.domain.definition.validation.findings import errors
from sluice.domain.definition.validation.objects import validate_object
from sluice.ports.compiler import Compiled

SMALL = 4096
"""Bytes of JSON: about what is validated in 2 ms."""


UNREADABLE = "spec.definition: validating it ended the process that did it; make it smaller or flatter"


class DefinitionCompiler:
    """Canonicalizes, validates and digests; with a ``helper`` what is large is done there.

    ``embedded``: what needs a cluster can't run.
    """

    def __init__(self, helper: HelperProcess | None = None, *, embedded: bool = True) -> None:
        self._helper = helper
        self._embedded = embedded

    def compile(self, workflow: dict[str, Any], definition: dict[str, Any], level: int) -> Compiled:
        """See the port."""
        level = level or LATEST
        if self._helper is not None and len(orjson.dumps(definition)) > SMALL:
            try:
                return self._helper.call(compile_draft, workflow, definition, level, embedded=self._embedded)
            except HelperDiedError:
                return Compiled("", level, findings=(UNREADABLE,))
        return compile_draft(workflow, definition, level, embedded=self._embedded)

    def not_executable(self, definition: dict[str, Any]) -> tuple[str, ...]:
        """See the port."""
        return tuple(str(finding) for finding in not_executable(definition, embedded=self._embedded))


def compile_draft(workflow: dict[str, Any], definition: dict[str, Any], level: int, *, embedded: bool) -> Compiled:
    """What ``Compiler.compile`` answers, at a known level."""
    drafted = {**workflow, "spec": {**workflow["spec"], "definition": definition}}
    drafted["spec"].pop("definitionFrom", None)
    findings = tuple(str(finding) for finding in errors(validate_object(drafted)))
    if findings:
        return Compiled("", level, findings=findings)
    canonical = canonicalize(definition, level)
    unused = [*not_executable(definition, embedded=embedded), *settings_without_effect(workflow["spec"])]
    refused = tuple(str(finding) for finding in unused)
    return Compiled(digest(canonical, level), level, plain(canonical), not_executable=refused)
