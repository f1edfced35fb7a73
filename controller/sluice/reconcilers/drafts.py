"""What is known of each draft: canonical form, digest, findings. Worked out once per generation, off the busy threads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from sluice.api.workflow import Workflow
from sluice.api.workflowversion import WorkflowVersion
from sluice.domain.objects.encoding import encoded
from sluice.domain.publishing.facts import DraftFacts
from sluice.ports.compiler import Compiled, Compiler
from sluice.ports.store import Obj
from sluice.reconcilers.world import World, key_of
from sluice.runtime.queue import Key

AUTHOR_ANNOTATION = "sluice.dev/changed-by"
"""Who last changed the spec, as the server knows them; stamped by the server where it can."""

REVISION_ANNOTATION = "sluice.dev/revision"
"""The git revision that a source applied."""


Fingerprint = tuple[str, int, int]
"""What a compiled draft depends on: uid, generation, level. The version that it may come from never changes."""


@dataclass(frozen=True, slots=True)
class _Known:
    """One compiled draft. Its canonical form is needed only when it is published, and takes a fifth of the memory as bytes."""

    fingerprint: Fingerprint
    without_canonical: Compiled
    canonical: bytes

    @classmethod
    def of(cls, fingerprint: Fingerprint, compiled: Compiled) -> _Known:
        return cls(fingerprint, replace(compiled, canonical={}), encoded(compiled.canonical))

    @property
    def compiled(self) -> Compiled:
        return replace(self.without_canonical, canonical=orjson.loads(self.canonical))


class Drafts:
    """Remembers one compiled draft per workflow."""

    def __init__(self, world: World, compiler: Compiler) -> None:
        self._world = world
        self._compiler = compiler
        self._problems: dict[str, tuple[str, ...]] = {}
        self._known: dict[Key, _Known] = {}

    def of(self, obj: Obj, workflow: Workflow, level: int) -> DraftFacts:
        """The draft's facts, digested at ``level`` (that of the newest version)."""
        spec = obj["spec"]
        source = workflow.spec.definition_from
        definition = spec.get("definition")
        if source is not None:
            version = self._world.caches.versions.get(
                _version_key(workflow.metadata.namespace, source.workflow, source.version)
            )
            if version is None:
                return DraftFacts(level=level, missing=f"{source.workflow} {source.version}")
            definition = version["spec"]["definition"]
        metadata = workflow.metadata
        fingerprint = (metadata.uid, metadata.generation, level)
        compiled = self._compile(fingerprint, obj, definition or {})
        annotations = workflow.metadata.annotations
        manager = _last_manager(obj)
        return DraftFacts(
            digest=compiled.digest,
            canonical=compiled.canonical,
            level=compiled.level,
            findings=compiled.findings,
            not_executable=compiled.not_executable,
            author=annotations.get(AUTHOR_ANNOTATION, "") or manager,
            manager=manager,
            revision=annotations.get(REVISION_ANNOTATION, ""),
        )

    def problems_of(self, version: WorkflowVersion | None) -> tuple[str, ...]:
        """Why the version in force can't run here (it was published by another release); empty when it can."""
        if version is None:
            return ()
        digest = version.spec.digest
        if digest not in self._problems:
            self._problems[digest] = self._compiler.not_executable(version.spec.definition)
        return self._problems[digest]

    def forget(self, key: Key) -> None:
        """The workflow is gone."""
        self._known.pop(key, None)

    def _compile(self, fingerprint: Fingerprint, obj: Obj, definition: Obj) -> Compiled:
        key, known = key_of(obj), self._known.get(key_of(obj))
        if known is None or known.fingerprint != fingerprint:
            known = _Known.of(fingerprint, self._compiler.compile(obj, definition, fingerprint[2]))
            self._known[key] = known
        return known.compiled


def _version_key(namespace: str, workflow: str, version: str) -> Key:
    return Key(namespace, f"{workflow}-{version}")


def _last_manager(obj: Obj) -> str:
    """The field manager that wrote the spec last."""
    entries = [entry for entry in obj["metadata"].get("managedFields", ()) if "subresource" not in entry]
    entries = [entry for entry in entries if "f:spec" in entry.get("fieldsV1", {})]
    newest = max(entries, key=lambda entry: entry.get("time", ""), default=None)
    return newest["manager"] if newest else ""
