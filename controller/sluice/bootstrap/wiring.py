"""Which change wakes whom: what depends on an object is looked at again when the object moves, and only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sluice.reconcilers.world import BY_ENVIRONMENT, BY_NAMESPACE, BY_SOURCE, BY_WORKFLOW, DEFAULT_ROLLOUT, Caches
from sluice.runtime.cache import Cache, Change
from sluice.runtime.queue import Key, WorkQueue


@dataclass(frozen=True, slots=True)
class Queues:
    """The queue of each kind."""

    workflows: WorkQueue
    rollouts: WorkQueue
    environments: WorkQueue
    states: WorkQueue
    approvals: WorkQueue
    runs: WorkQueue


class Wiring:
    """Listens to the caches, on the feeding thread."""

    def __init__(self, caches: Caches, queues: Queues, *, run_vanished: Callable[[Change], None]) -> None:
        """``run_vanished`` is told of a deleted run before its key is queued."""
        self._caches = caches
        self._queues = queues
        self._run_vanished = run_vanished
        self._deleting: set[Key] = set()
        self._leaving: set[Key] = set()
        self._seen: dict[tuple[str, Key], tuple[object, ...]] = {}
        caches.workflows.on_change(self._workflow_changed)
        caches.versions.on_change(self._version_changed)
        caches.rollouts.on_change(self._rollout_changed)
        caches.environments.on_change(self._environment_changed)
        caches.states.on_change(self._state_changed)
        caches.approvals.on_change(self._approval_changed)
        caches.runs.on_change(self._run_changed)

    def is_deleting(self, workflow: Key) -> bool:
        """Whether a workflow waits for its runs to end before it goes."""
        return workflow in self._deleting

    def _is_news(self, cache: Cache, change: Change) -> bool:
        """Whether anything but the status moved: a status is read only by those who show it."""
        metadata, known = change.object["metadata"], (cache.kind.kind, change.key)
        if change.type == "DELETED":
            self._seen.pop(known, None)
            return True
        now = (
            metadata.get("uid"),
            metadata.get("generation"),
            metadata.get("deletionTimestamp"),
            metadata.get("annotations"),
        )
        news = self._seen.get(known) != now
        self._seen[known] = now
        return news

    def _workflow_changed(self, change: Change) -> None:
        caches, queues, key = self._caches, self._queues, change.key
        if change.type == "DELETED":
            self._deleting.discard(key)
        elif change.object["metadata"].get("deletionTimestamp"):
            self._deleting.add(key)
        if caches.rollouts.version(key):
            queues.rollouts.add(key)
        if self._is_news(caches.workflows, change):
            queues.workflows.add(key)
            for state in caches.states.keys_by(BY_WORKFLOW, f"{key.namespace}/{key.name}"):
                queues.states.add(state)

    def _version_changed(self, change: Change) -> None:
        if change.type == "MODIFIED" and not change.object["metadata"].get("deletionTimestamp"):
            return  # its spec never changes, and its status is what its workflow's reconcile wrote
        namespace, workflow = change.key.namespace, change.object["spec"]["workflow"]
        self._queues.workflows.add(Key(namespace, workflow))
        for key in self._caches.workflows.keys_by(BY_SOURCE, f"{namespace}/{workflow}"):
            self._queues.workflows.add(key)

    def _rollout_changed(self, change: Change) -> None:
        self._queues.rollouts.add(change.key)
        if not self._is_news(self._caches.rollouts, change):
            return
        if change.key.name == DEFAULT_ROLLOUT:
            self._wake_all(change.key.namespace)
        else:
            self._queues.workflows.add(change.key)

    def _environment_changed(self, change: Change) -> None:
        key = change.key
        self._queues.environments.add(key)
        if self._is_news(self._caches.environments, change):
            self._wake_all(key.namespace)
            for state in self._caches.states.keys_by(BY_ENVIRONMENT, f"{key.namespace}/{key.name}"):
                self._queues.states.add(state)

    def _state_changed(self, change: Change) -> None:
        self._queues.states.add(change.key)
        if self._is_news(self._caches.states, change):
            self._queues.workflows.add(Key(change.key.namespace, change.key.name.partition(".")[0]))

    def _approval_changed(self, change: Change) -> None:
        self._queues.approvals.add(change.key)
        version = change.object["spec"]["subject"].get("version")
        if version:
            self._queues.workflows.add(Key(change.key.namespace, version.rpartition("-v")[0]))

    def _run_changed(self, change: Change) -> None:
        """A run that is pinned is moved on by its engine: its own writes need no second look."""
        if change.type == "DELETED":
            self._leaving.discard(change.key)
            self._run_vanished(change)
            self._queues.runs.add(change.key)
            return
        spec = change.object["spec"]
        if change.type == "ADDED" or "pin" not in spec or spec.get("cancel") or self._begins_to_leave(change):
            self._queues.runs.add(change.key)

    def _begins_to_leave(self, change: Change) -> bool:
        """Whether a run's deletion is news: what keeps it back is looked at again in its own time."""
        if "deletionTimestamp" not in change.object["metadata"] or change.key in self._leaving:
            return False
        self._leaving.add(change.key)
        return True

    def _wake_all(self, namespace: str) -> None:
        for key in self._caches.workflows.keys_by(BY_NAMESPACE, namespace):
            self._queues.workflows.add(key)
