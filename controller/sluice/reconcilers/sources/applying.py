"""Carrying out a tree: server-side apply under the source's own field manager, then pruning by inventory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson

from sluice.api import kinds
from sluice.ports.errors import AlreadyExists, NotFound, PortError
from sluice.ports.source import SourceObject, Tree
from sluice.ports.store import Obj, Ref, Selector
from sluice.reconcilers.drafts import REVISION_ANNOTATION
from sluice.reconcilers.sources.plan import SOURCE_LABEL, plan_apply, ref_of
from sluice.reconcilers.world import World

PUBLISH_WAIT = 30.0
"""Seconds that activations wait for the workflows before them to be looked at."""

WRITERS = 8
"""Workflows that are applied at a time."""

PRUNE_AFTER = 1.0
"""Seconds for which an object must be missing before it goes: programs that move files remove them first."""

_PRUNABLE = (kinds.ENVIRONMENT_STATE, kinds.WORKFLOW, kinds.ROLLOUT, kinds.ENVIRONMENT, kinds.SECRET, kinds.CONFIG_MAP)


@dataclass(frozen=True, slots=True)
class Applied:
    """What one sync did; ``problems`` are one line each. ``look_again``: seconds until what is missing may go."""

    changed: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    look_again: float | None = None


class Applier:
    """Applies trees of one source to one namespace (what names none of its own lands there)."""

    def __init__(self, world: World, source: str, *, manager: str, namespace: str) -> None:
        self._world = world
        self._source = source
        self._manager = manager
        self._namespace = namespace
        self._moved = threading.Event()
        self._missing: dict[Ref, float] = {}
        self.left: dict[Ref, int] = {}
        """The generation at which each object was left: any other is somebody else's doing."""
        world.caches.workflows.on_change(lambda _: self._moved.set())

    def apply(self, tree: Tree) -> Applied:
        """Apply a valid tree. An object that is refused is reported; the rest goes on."""
        plan = plan_apply(tree.objects, self.inventory(), namespace=self._namespace)
        problems: list[str] = [plan.refused] if plan.refused else []
        changed = self._apply_all(plan.before, tree.revision, problems)
        changed += self._apply_at_once(plan.workflows, tree.revision, problems)
        if plan.after:
            self._await_published(plan.workflows)
            changed += self._apply_all(plan.after, tree.revision, problems)
        changed += self._create_runs(plan.runs, problems)
        due, look_again = self._due(plan.prune)
        return Applied(tuple(changed), tuple(self._prune(due, problems)), tuple(problems), look_again)

    def inventory(self) -> list[Ref]:
        """Every object that this source applied and that is still there."""
        selector = Selector(labels=f"{SOURCE_LABEL}={self._source}")
        return [
            Ref(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            for kind in _PRUNABLE
            for obj in self._world.store.list(kind, selector=selector).items
        ]

    def _apply_all(self, objects: Sequence[SourceObject], revision: str, problems: list[str]) -> list[str]:
        """One after the other."""
        return self._gathered((self._try(declared, revision) for declared in objects), problems)

    def _apply_at_once(self, objects: Sequence[SourceObject], revision: str, problems: list[str]) -> list[str]:
        """Several at a time, where no order counts: their writes share commits."""
        if len(objects) < 2:
            return self._apply_all(objects, revision, problems)
        with ThreadPoolExecutor(min(WRITERS, len(objects)), thread_name_prefix="source-write") as pool:
            return self._gathered(pool.map(lambda declared: self._try(declared, revision), objects), problems)

    def _gathered(self, tried: Iterable[tuple[str, str]], problems: list[str]) -> list[str]:
        """The names of what moved; problems are added to ``problems``."""
        changed = []
        for name, problem in tried:
            if problem:
                problems.append(problem)
            elif name:
                changed.append(name)
        return changed

    def _try(self, declared: SourceObject, revision: str) -> tuple[str, str]:
        """Apply one: its name if it moved, or the problem with it."""
        ref = ref_of(declared.obj, self._namespace)
        try:
            return (_shown(ref) if self._apply_one(ref, declared.obj, revision) else "", "")
        except NotFound:
            return "", (
                f"{declared.place}: there is no namespace {ref.namespace} for {_shown(ref)}; "
                "declare it beside, as a Namespace, or create it"
            )
        except PortError as error:
            return "", f"{declared.place}: {error}"

    def _apply_one(self, ref: Ref, declared: Obj, revision: str) -> bool:
        """Whether the object moved. One that another source applied stays with that one."""
        before = self._current(ref)
        claimed = (before or {}).get("metadata", {}).get("labels", {}).get(SOURCE_LABEL, self._source)
        if claimed != self._source:
            raise AlreadyExists(f"{_shown(ref)} belongs to source {claimed}; remove it there first")
        metadata = declared["metadata"]
        wanted = {
            **{key: value for key, value in declared.items() if key != "status"},
            "metadata": {
                **metadata,
                "namespace": ref.namespace,
                "labels": {**(metadata.get("labels") or {}), SOURCE_LABEL: self._source},
            },
        }
        if not ref.namespace:
            del wanted["metadata"]["namespace"]
        if revision:
            wanted["metadata"]["annotations"] = {**(metadata.get("annotations") or {}), REVISION_ANNOTATION: revision}
        after = self._world.store.apply(wanted, manager=self._manager, force=True)
        self.left[ref] = after["metadata"].get("generation", 0)
        return before is None or after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]

    def _current(self, ref: Ref) -> Obj | None:
        try:
            return self._world.store.get(ref)
        except NotFound:
            return None

    def _await_published(self, workflows: Sequence[SourceObject]) -> None:
        """Wait until each workflow's reconcile has seen what was applied, so that nothing opens before its publish."""
        until = self._world.clock.monotonic() + PUBLISH_WAIT
        for declared in workflows:
            ref = ref_of(declared.obj, self._namespace)
            while not self._is_observed(ref) and (left := until - self._world.clock.monotonic()) > 0:
                self._moved.wait(left)
                self._moved.clear()

    def _is_observed(self, ref: Ref) -> bool:
        obj = self._current(ref)
        if obj is None:
            return True
        status = obj.get("status", {})
        return status.get("observedGeneration") == obj["metadata"]["generation"] and not status.get("publishing")

    def _create_runs(self, runs: Sequence[SourceObject], problems: list[str]) -> list[str]:
        """A declared run is created once per content and left alone after, also when its object has gone."""
        created = []
        for declared in runs:
            obj = self._named_by_content(declared.obj)
            ref = ref_of(obj, self._namespace)
            if self._current(ref) is not None or self._world.ledger.run_named(ref.namespace, ref.name):
                continue
            try:
                self._world.store.create(obj, manager=self._manager)
                created.append(_shown(ref))
            except AlreadyExists:
                continue
            except PortError as error:
                problems.append(f"{declared.place}: {error}")
        return created

    def _named_by_content(self, declared: Obj) -> Obj:
        metadata = dict(declared["metadata"])
        content = orjson.dumps(declared["spec"], option=orjson.OPT_SORT_KEYS)
        mark = hashlib.sha256(content).hexdigest()[:10]
        prefix = metadata.pop("generateName", "") or f"{metadata['name']}-"
        metadata["name"] = f"{prefix}{mark}"
        metadata["namespace"] = metadata.get("namespace") or self._namespace
        metadata["labels"] = {**(metadata.get("labels") or {}), SOURCE_LABEL: self._source}
        return {**declared, "metadata": metadata}

    def _due(self, stale: Sequence[Ref]) -> tuple[list[Ref], float | None]:
        """What has been missing for long enough, and the seconds until the rest has."""
        now = self._world.clock.monotonic()
        self._missing = {ref: self._missing.get(ref, now) for ref in stale}
        left = {ref: since + PRUNE_AFTER - now for ref, since in self._missing.items()}
        waits = [seconds for seconds in left.values() if seconds > 0]
        return [ref for ref, seconds in left.items() if seconds <= 0], min(waits, default=None)

    def _prune(self, due: Sequence[Ref], problems: list[str]) -> list[str]:
        pruned = []
        for ref in due:
            try:
                self.left.pop(ref, None)
                self._world.store.delete(ref)
                pruned.append(_shown(ref))
            except NotFound:
                continue
            except PortError as error:
                problems.append(f"{_shown(ref)} could not be pruned: {error}")
        return pruned


def _shown(ref: Ref) -> str:
    return f"{ref.kind.singular}/{ref.name}"
