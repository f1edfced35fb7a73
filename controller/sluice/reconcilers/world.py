"""What reconcilers see of the world: the ports, and the shared caches."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.api import kinds
from sluice.api.kinds import KindInfo
from sluice.ports.clock import Clock
from sluice.ports.ledger import Ledger
from sluice.ports.store import Obj, Store
from sluice.runtime.cache import Cache
from sluice.runtime.events import Recorder
from sluice.runtime.queue import Key

CONTROLLER = "sluice-controller"
"""The field manager and user of everything that the controller writes."""

BY_WORKFLOW = "workflow"
"""Index of versions, states and approvals by ``namespace/workflow``."""

BY_NAMESPACE = "namespace"

BY_ENVIRONMENT = "environment"
"""Index of states by ``namespace/environment``."""

BY_SOURCE = "source"
"""Index of workflows by ``namespace/workflow`` that their definition comes from."""

DEFAULT_ROLLOUT = "default"
"""Name of the Rollout that is the policy of every workflow without one of its own."""

WORKFLOW_LABEL = "sluice.dev/workflow"
ENVIRONMENT_LABEL = "sluice.dev/environment"
VERSION_LABEL = "sluice.dev/version"
TRIGGER_LABEL = "sluice.dev/trigger"


def _workflow_of_version(obj: Obj) -> Iterable[str]:
    yield f"{obj['metadata']['namespace']}/{obj['spec']['workflow']}"


def _workflow_of_approval(obj: Obj) -> Iterable[str]:
    version = obj["spec"]["subject"].get("version", "")
    if version:
        yield f"{obj['metadata']['namespace']}/{version.rpartition('-v')[0]}"


def _namespace(obj: Obj) -> Iterable[str]:
    yield obj["metadata"]["namespace"]


def _workflow_of_state(obj: Obj) -> Iterable[str]:
    yield f"{obj['metadata']['namespace']}/{obj['metadata']['name'].partition('.')[0]}"


def _environment_of_state(obj: Obj) -> Iterable[str]:
    yield f"{obj['metadata']['namespace']}/{obj['metadata']['name'].partition('.')[2]}"


def _source_of(obj: Obj) -> Iterable[str]:
    source = obj["spec"].get("definitionFrom")
    if source:
        yield f"{obj['metadata']['namespace']}/{source['workflow']}"


@dataclass(frozen=True, slots=True)
class Caches:
    """One per kind; runs are many, so theirs has no index that every run would pay for."""

    workflows: Cache
    versions: Cache
    rollouts: Cache
    environments: Cache
    states: Cache
    runs: Cache
    approvals: Cache

    @classmethod
    def empty(cls, *, packed: bool = False) -> Caches:
        """All caches, before any feed. ``packed`` where no store of this process holds the same bytes."""
        cache = functools.partial(Cache, packed=packed)
        return cls(
            workflows=cache(kinds.WORKFLOW, {BY_NAMESPACE: _namespace, BY_SOURCE: _source_of}),
            versions=cache(kinds.WORKFLOW_VERSION, {BY_WORKFLOW: _workflow_of_version}),
            rollouts=cache(kinds.ROLLOUT),
            environments=cache(kinds.ENVIRONMENT, {BY_NAMESPACE: _namespace}),
            states=cache(
                kinds.ENVIRONMENT_STATE, {BY_WORKFLOW: _workflow_of_state, BY_ENVIRONMENT: _environment_of_state}
            ),
            runs=cache(kinds.WORKFLOW_RUN),
            approvals=cache(kinds.APPROVAL, {BY_WORKFLOW: _workflow_of_approval}),
        )

    def of(self, kind: KindInfo) -> Cache:
        """The cache of a kind."""
        return next(cache for cache in self.all() if cache.kind is kind)

    def all(self) -> tuple[Cache, ...]:
        """Every cache."""
        return (
            self.workflows,
            self.versions,
            self.rollouts,
            self.environments,
            self.states,
            self.runs,
            self.approvals,
        )


@dataclass(frozen=True, slots=True)
class World:
    """Handed to every reconciler by ``bootstrap``."""

    store: Store
    ledger: Ledger
    clock: Clock
    caches: Caches
    recorder: Recorder
    embedded: bool = True
    """Whether ``launch: Auto`` means a local process."""


def key_of(obj: Obj) -> Key:
    """The key of an object."""
    return Key(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
