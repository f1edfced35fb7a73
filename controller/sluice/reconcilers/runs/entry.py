"""Letting runs in: which environment, may it start, which version, with which parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice.api.reasons import Reason
from sluice.api.workflowrun import RunInput, RunPhase
from sluice.domain.routing.dealing import Split
from sluice.domain.routing.gatekeeper import Rejected, admission
from sluice.domain.routing.parameters import parameters
from sluice.domain.routing.split import StickyKey, in_force, split_for, window_for
from sluice.ports.errors import Conflict, NotFound
from sluice.ports.ledger import Admitted, RunAdmission, RunRecord, Window
from sluice.ports.store import Obj, Ref
from sluice.reconcilers.runs.replays import NotReplayable, Replays
from sluice.reconcilers.runs.routes import Place, Route, Routes, VersionInForce
from sluice.reconcilers.runs.sticky import StickyKeys
from sluice.reconcilers.world import World
from sluice.runtime.outcome import Waiting
from sluice.runtime.queue import Key

LOOK_AGAIN_FOR_VERSION = 0.1
"""Seconds. A run that is made right after its workflow waits for the first version."""


class Refused(Exception):
    """The run ends before it began. ``admission`` is what the ledger records of it."""

    def __init__(
        self, reason: Reason, message: str, admission: RunAdmission, phase: RunPhase = RunPhase.REJECTED
    ) -> None:
        super().__init__(message)
        self.reason, self.message, self.admission, self.phase = reason, message, admission, phase


@dataclass(frozen=True, slots=True)
class LetIn:
    """A run that was let in: its draw, version, place and the values of its parameters."""

    draw: Admitted
    version: VersionInForce
    place: Place
    params: dict[str, Any]
    split: Split
    revision: int


class Entry:
    """The way in for runs, and what is told when they leave."""

    def __init__(
        self, world: World, routes: Routes, *, run_left: Callable[[str, str, str], None], enqueue: Callable[[Key], None]
    ) -> None:
        self._world = world
        self._routes = routes
        self._sticky = StickyKeys()
        self._replays = Replays(world, routes)
        self._run_left = run_left
        self._enqueue = enqueue
        self._queues: set[tuple[str, str, str]] = set()
        """Namespace, workflow and environment in which a run may have had to wait since the start."""

    def admit(self, obj: Obj) -> LetIn | None:
        """Let a run in; None when it has to wait for a slot. Refused when it may not start."""
        spec, metadata = obj["spec"], obj["metadata"]
        run = RunInput.model_validate(spec["input"])
        route = self._route(metadata["namespace"], run, obj)
        if spec.get("cancel"):
            raise Refused(
                Reason.RUN_CANCELLED,
                "cancelled before it began",
                _admission(obj, run, "", Split(0), route),
                RunPhase.CANCELLED,
            )
        door = admission(route.door, run, now=self._world.clock.now())
        if isinstance(door, Rejected):
            self._require_current(metadata["namespace"], run.workflow, door.environment)
            if door.reason is Reason.NO_VERSION and _is_being_published(route):
                raise Waiting(
                    Reason.DEPENDENCY_NOT_READY,
                    f"{run.workflow} is being published",
                    retry_after=LOOK_AGAIN_FOR_VERSION,
                )
            raise Refused(door.reason, door.message, _admission(obj, run, door.environment, Split(0), route))
        wanted = self._limited(self._wanted(obj, run, door.environment, route), route)
        if wanted.queue:
            # Before the ledger is asked: whoever leaves after this run was told to wait has to see it.
            self._queues.add((wanted.namespace, wanted.workflow, door.environment))
        draw = self._world.ledger.admit(wanted)
        if draw.queued:
            return None
        if draw.refused:
            raise Refused(
                Reason.CONCURRENCY_FORBIDS,
                f"{wanted.limit} runs of {run.workflow} are open in {door.environment}, and its concurrency policy is Forbid",
                wanted,
            )
        if wanted.queue or obj.get("status", {}).get("phase") == RunPhase.QUEUED:
            self.wake_queued(wanted.window.workflow_uid, door.environment)
        return self._let_in(route, run, draw, wanted)

    def of_pin(self, obj: Obj) -> tuple[Place, VersionInForce]:
        """The place and version of a run that was pinned before. Waiting when either is not there."""
        pin, metadata = obj["spec"]["pin"], obj["metadata"]
        workflow = obj["spec"]["input"]["workflow"]
        version = self._routes.version(metadata["namespace"], workflow, pin["number"])
        if version is None:
            raise Waiting(Reason.VERSION_NOT_FOUND, f"{pin['version']} is not there; the run goes on when it is")
        route = self._routes.route(Key(metadata["namespace"], workflow))
        place = route.places.get(pin["environment"]) if route else None
        if place is None:
            raise Waiting(
                Reason.ENVIRONMENT_NOT_FOUND,
                f"environment {pin['environment']} is not there; the run goes on when it is",
            )
        return place, version

    def readmit(self, obj: Obj) -> RunRecord:
        """Give a pinned run a row again that the ledger has lost (an older backup): its pin decides, nothing is drawn."""
        run = RunInput.model_validate(obj["spec"]["input"])
        pin = obj["spec"]["pin"]
        split = Split(stable=pin["number"], forced=pin["number"])
        uid = obj["metadata"]["uid"]
        self._world.ledger.admit(_admission(obj, run, pin["environment"], split, None))
        self._world.ledger.pinned(uid)
        record = self._world.ledger.run(uid)
        if record is None:
            raise Waiting(Reason.DEPENDENCY_NOT_READY, "the ledger does not know the run yet", retry_after=1)
        return record

    def ended(self, obj: Obj) -> None:
        """As ``left``, where the object says enough: the ledger is asked only where runs wait for each other."""
        metadata, spec = obj["metadata"], obj["spec"]
        workflow, pin = spec["input"]["workflow"], spec.get("pin")
        if pin is None or (metadata["namespace"], workflow, pin["environment"]) in self._queues:
            self.left(metadata["uid"])
            return
        dealt = pin.get("draw") or {}
        self._run_left(metadata["namespace"], workflow, "candidate" if dealt.get("candidate") else "stable")

    def left(self, uid: str) -> None:
        """A run has ended: its workflow's figures move, and the next in the queue may have its slot."""
        record = self._world.ledger.run(uid)
        if record is not None:
            self._run_left(record.namespace, record.workflow, "candidate" if record.candidate else "stable")
            self.wake_queued(record.workflow_uid, record.environment)

    def wake_queued(self, workflow_uid: str, environment: str) -> None:
        """Have the run looked at that waits longest, if any waits: there may be room for it."""
        waiting = self._world.ledger.next_queued(workflow_uid, environment)
        queued = self._world.ledger.run(waiting) if waiting else None
        if queued is not None:
            self._enqueue(Key(queued.namespace, queued.name))

    def _route(self, namespace: str, run: RunInput, obj: Obj) -> Route:
        route = self._routes.route(Key(namespace, run.workflow))
        if route is None:
            self._require_current(namespace, run.workflow, "")
        if route is None or route.door.workflow.metadata.deletion_timestamp:
            found = "there is no workflow" if route is None else "somebody deleted workflow"
            raise Refused(
                Reason.WORKFLOW_NOT_FOUND,
                f"{found} {run.workflow} in namespace {namespace}",
                _admission(obj, run, run.environment or "", Split(0), route),
            )
        return route

    def _require_current(self, namespace: str, workflow: str, environment: str) -> None:
        """Nobody is turned away for what a cache has not heard of yet: Conflict when the server knows better."""
        caches = self._world.caches
        named = {caches.workflows: workflow}
        if environment:
            named |= {caches.environments: environment, caches.states: f"{workflow}.{environment}"}
        for cache, name in named.items():
            try:
                live = int(self._world.store.get(Ref(cache.kind, namespace, name))["metadata"]["resourceVersion"])
            except NotFound:
                live = 0
            if live > cache.version(Key(namespace, name)):
                raise Conflict(f"{cache.kind.singular} {name} is newer than what is known of it here")

    def _wanted(self, obj: Obj, run: RunInput, environment: str, route: Route) -> RunAdmission:
        """What the ledger is asked for. Refused when no version may take the run."""
        try:
            forced = self._replays.number(obj["metadata"]["namespace"], route.uid, run)
        except NotReplayable as error:
            rejected = _admission(obj, run, environment, Split(0), route)
            raise Refused(Reason.REPLAY_NOT_POSSIBLE, str(error), rejected) from None
        split = self._split(run, route, forced)
        wanted = _admission(obj, run, environment, split, route)
        if not split.stable and not forced:
            raise Refused(Reason.NO_VERSION, f"{run.workflow} has no published version that takes runs", wanted)
        if problem := route.places[environment].problem:
            raise Refused(Reason.LAUNCH_UNSUPPORTED, f"nothing can run in {environment}: {problem}", wanted)
        return wanted

    def _split(self, run: RunInput, route: Route, forced: int) -> Split:
        sticky = None
        acting = in_force(route.rollout)
        if route.by_hash and acting is not None and not forced:
            version = self._routes.version(route.door.workflow.metadata.namespace, run.workflow, acting.number)
            found, key = self._sticky.key(version, run) if version else (False, None)
            sticky = StickyKey(route.uid, key) if found else None
        return split_for(route.rollout, sticky=sticky, forced=forced)

    def _limited(self, wanted: RunAdmission, route: Route) -> RunAdmission:
        """With the concurrency of the version in force; without a limit, Forbid and Queue let one run be open."""
        acting = in_force(route.rollout)
        version = self._routes.version(wanted.namespace, wanted.workflow, acting.number) if acting else None
        concurrency = (version.definition.get("concurrency") if version else None) or {}
        policy = concurrency.get("policy", "Allow")
        if policy == "Allow":
            return wanted
        return dataclasses.replace(wanted, limit=concurrency.get("limit") or 1, queue=policy == "Queue")

    def _let_in(self, route: Route, run: RunInput, draw: Admitted, wanted: RunAdmission) -> LetIn:
        version = self._routes.version(wanted.namespace, run.workflow, draw.number)
        if version is None:
            raise Waiting(Reason.VERSION_NOT_FOUND, f"{run.workflow}-v{draw.number} is not there yet", retry_after=1)
        environment = wanted.window.environment
        place, state = route.places[environment], route.door.states.get(environment)
        resolved = parameters(
            version.definition.get("params"),
            environment=place.params,
            state=state.spec.params if state else None,
            run=run.params,
        )
        if not resolved.usable:
            reason = Reason.PARAM_MISSING if resolved.missing else Reason.PARAM_INVALID
            raise Refused(reason, resolved.message, wanted, RunPhase.FAILED)
        return LetIn(draw, version, place, resolved.values, wanted.split, wanted.window.revision)


def _is_being_published(route: Route) -> bool:
    workflow = route.door.workflow
    status = workflow.status
    return status.observed_generation != workflow.metadata.generation or status.publishing is not None


def _admission(obj: Obj, run: RunInput, environment: str, split: Split, route: Route | None) -> RunAdmission:
    metadata = obj["metadata"]
    where = environment or run.environment or ""
    uid = route.uid if route else ""
    window = window_for(route.rollout, uid, where) if route else Window(uid, where, 0)
    return RunAdmission(
        run_uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        workflow=run.workflow,
        window=window,
        split=split,
        actor=run.actor or "",
        trigger=run.trigger.type if run.trigger else "manual",
        replay_of=run.replay.of if run.replay else "",
    )
