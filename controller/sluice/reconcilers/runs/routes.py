"""Where new runs go: what admission needs of a workflow, worked out once per change rather than once per run.

A route is dropped when anything that it was made of changes, so a stop or a kill switch counts for the very next run.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from sluice.api.environment import Environment
from sluice.api.environmentstate import EnvironmentState
from sluice.api.reasons import ConditionType
from sluice.api.rollout import Rollout, RolloutStatus, Split
from sluice.api.workflow import Phase, Workflow
from sluice.domain.durations import microseconds
from sluice.domain.launching.placement import Placement, placement_of
from sluice.domain.routing.gatekeeper import Door
from sluice.reconcilers.environment import launch_of
from sluice.reconcilers.world import BY_NAMESPACE, DEFAULT_ROLLOUT, World
from sluice.runtime.cache import Change
from sluice.runtime.outcome import Stalled
from sluice.runtime.queue import Key

MEBIBYTE = 1024 * 1024
STEP_MEMORY = 512 * MEBIBYTE
STEP_TIMEOUT = 3600.0
PARALLEL_STEPS = 16
_UNITS = {"Ki": 1024, "Mi": MEBIBYTE, "Gi": 1024 * MEBIBYTE}


@dataclass(frozen=True, slots=True)
class Place:
    """An environment as a run sees it. ``limits`` as ``ports.launcher.Segment`` has them; ``run_timeout`` microseconds.

    ``problem`` says why nothing can be launched there; empty when it can.
    """

    name: str
    record: dict[str, str]
    params: dict[str, Any]
    limits: dict[str, Any]
    run_timeout: int
    placement: Placement
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One workflow: its door, its environments, and how runs are dealt out."""

    door: Door
    uid: str
    places: dict[str, Place]
    rollout: RolloutStatus
    by_hash: bool


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """A version's frozen definition, shared between runs: never changed. ``timeout`` in microseconds, 0 for none."""

    name: str
    number: int
    digest: str
    level: int
    definition: dict[str, Any]
    timeout: int


@dataclass(slots=True)
class _Kept:
    routes: dict[Key, Route] = field(default_factory=dict)
    versions: dict[Key, VersionInForce] = field(default_factory=dict)
    changes: int = 0


class Routes:
    """Routes and versions, each made once and kept until something that it was made of changes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept = _Kept()
        self._lock = threading.Lock()
        caches = world.caches
        caches.workflows.on_change(lambda change: self._drop(change.key))
        caches.rollouts.on_change(lambda change: self._drop_namespace(change.key.namespace))
        caches.environments.on_change(lambda change: self._drop_namespace(change.key.namespace))
        caches.states.on_change(lambda change: self._drop(Key(change.key.namespace, change.key.name.partition(".")[0])))
        caches.versions.on_change(self._version_changed)

    def route(self, key: Key) -> Route | None:
        """How runs of a workflow go; None when there is no such workflow."""
        known = self._kept.routes.get(key)
        if known is not None:
            return known
        seen = self._kept.changes
        made = self._make(key)
        with self._lock:
            if made is not None and seen == self._kept.changes:  # else it may be of yesterday: used once, not kept
                self._kept.routes[key] = made
        return made

    def version(self, namespace: str, workflow: str, number: int) -> VersionInForce | None:
        """A version's definition, parsed once; None when its object is not there."""
        key = Key(namespace, f"{workflow}-v{number}")
        known = self._kept.versions.get(key)
        if known is not None:
            return known
        seen = self._kept.changes
        obj = self._world.caches.versions.get(key)
        if obj is None:
            return None
        spec = obj["spec"]
        definition = spec["definition"]
        version = VersionInForce(
            name=key.name,
            number=number,
            digest=spec["digest"],
            level=spec["level"],
            definition=definition,
            timeout=microseconds(definition["timeout"]) if definition.get("timeout") else 0,
        )
        with self._lock:
            if seen == self._kept.changes:
                self._kept.versions[key] = version
        return version

    def _version_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            with self._lock:
                self._kept.changes += 1
                self._kept.versions.pop(change.key, None)

    def _drop(self, key: Key) -> None:
        with self._lock:
            self._kept.changes += 1
            self._kept.routes.pop(key, None)

    def _drop_namespace(self, namespace: str) -> None:
        with self._lock:
            self._kept.changes += 1
            for key in [key for key in self._kept.routes if key.namespace == namespace]:
                del self._kept.routes[key]

    def _make(self, key: Key) -> Route | None:
        caches = self._world.caches
        obj = caches.workflows.get(key)
        if obj is None:
            return None
        workflow = Workflow.model_validate({**obj, "spec": {**obj["spec"], "definition": None}})
        environments = {
            found["metadata"]["name"]: Environment.model_validate(found)
            for found in caches.environments.by(BY_NAMESPACE, key.namespace)
        }
        states = {name: caches.states.get(Key(key.namespace, f"{key.name}.{name}")) for name in environments}
        rollout = caches.rollouts.get(key) or caches.rollouts.get(Key(key.namespace, DEFAULT_ROLLOUT))
        policy = Rollout.model_validate(rollout).spec if rollout else None
        walk = workflow.status.rollout or RolloutStatus()
        if policy is not None and _is_stopped(walk, policy.stops or {}):
            walk = walk.model_copy(update={"candidate": None})
        return Route(
            door=Door(
                workflow=workflow,
                environments=environments,
                states={name: EnvironmentState.model_validate(state) for name, state in states.items() if state},
                has_version=walk.stable is not None or walk.candidate is not None,
                problem=_problem_of(workflow),
            ),
            uid=workflow.metadata.uid,
            places={
                name: place_of(environment, embedded=self._world.embedded) for name, environment in environments.items()
            },
            rollout=walk,
            by_hash=policy is not None and policy.split is Split.HASH,
        )


def _problem_of(workflow: Workflow) -> str:
    """Why the version in force can't run, as the workflow's own reconcile found it out."""
    if workflow.status.phase is not Phase.FAILED:
        return ""
    return next(
        (condition.message for condition in workflow.status.conditions if condition.type == ConditionType.STALLED), ""
    )


def _is_stopped(walk: RolloutStatus, stops: dict[str, Any]) -> bool:
    """Whether a stop is declared that the workflow's own reconcile has not seen yet: it counts from now on."""
    candidate = walk.candidate
    if candidate is None or walk.stable is None:
        return False
    keys = (f"v{candidate.number}", f"d-{candidate.digest.removeprefix('sha256:')[:12]}")
    return any(key in stops and stops[key].attempt >= candidate.attempt for key in keys)


def place_of(environment: Environment, *, embedded: bool) -> Place:
    """An environment's limits in the runner's units: bytes and seconds."""
    try:
        problem = ""
        launch_of(environment, embedded=embedded)
    except Stalled as stalled:
        problem = stalled.message
    spec, limits = environment.spec, environment.spec.limits
    tier = spec.tier.value if spec.tier else ("Production" if spec.type == "Production" else "Development")
    memory = limits.step_memory if limits else None
    timeout = limits.step_timeout if limits else None
    run_timeout = limits.run_timeout if limits else None
    return Place(
        name=environment.metadata.name,
        record={"name": environment.metadata.name, "type": spec.type.value, "tier": tier},
        params=dict(spec.params or {}),
        limits={
            "stepMemory": int(memory[:-2]) * _UNITS[memory[-2:]] if memory else STEP_MEMORY,
            "stepTimeout": microseconds(timeout) / 1e6 if timeout else STEP_TIMEOUT,
            "parallelSteps": (limits.parallel_steps if limits else None) or PARALLEL_STEPS,
        },
        run_timeout=microseconds(run_timeout) if run_timeout else 0,
        placement=placement_of(environment, embedded=embedded),
        problem=problem,
    )
