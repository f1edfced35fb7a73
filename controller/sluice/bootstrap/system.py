"""The controllers, put together: caches, queues, reconcilers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sluice.api import kinds
from sluice.bootstrap.wiring import Queues, Wiring
from sluice.ports.clock import Clock
from sluice.ports.compiler import Compiler
from sluice.ports.containers import Changed, Containers
from sluice.ports.errors import NotFound
from sluice.ports.launcher import Launcher, SegmentSink
from sluice.ports.ledger import Ledger, RunRecord
from sluice.ports.store import Obj, Ref, Store, WatchEvent
from sluice.reconcilers.approval import ApprovalReconciler
from sluice.reconcilers.drafts import Drafts
from sluice.reconcilers.environment import EnvironmentReconciler
from sluice.reconcilers.environmentstate import EnvironmentStateReconciler
from sluice.reconcilers.events import EventExpiry
from sluice.reconcilers.rollout import RolloutReconciler
from sluice.reconcilers.runs.apart import StepsApart
from sluice.reconcilers.runs.entry import Entry
from sluice.reconcilers.runs.retention import Keep
from sluice.reconcilers.runs.routes import Routes
from sluice.reconcilers.runs.run import RunReconciler
from sluice.reconcilers.runs.sweeping import SWEEP_AFTER, RunSweeper, namespace_of
from sluice.reconcilers.workflow import WorkflowReconciler
from sluice.reconcilers.world import Caches, World
from sluice.runtime.controller import Controller, Read, Reconciler
from sluice.runtime.engine import RunEngine
from sluice.runtime.events import Recorder
from sluice.runtime.metrics import Totals
from sluice.runtime.queue import Key, WorkQueue

METRICS_AFTER = 30.0
ROLLOUT_FIGURES_AFTER = 1.0
"""Seconds after a run's end in which its workflow's figures move: sooner where a gate may wait for them."""

WORKFLOW_WORKERS = 4
"""They share commits. More would publish faster, and leave less of the interpreter to runs."""

RUN_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters that the controllers work with."""

    store: Store
    ledger: Ledger
    clock: Clock
    compiler: Compiler
    launcher: Callable[[SegmentSink], Launcher]
    embedded: bool = True
    containers: Callable[[Changed], Containers] | None = None
    """Where steps with an image of their own run; None where they can't."""
    keep: Keep = Keep()  # noqa: RUF009 - frozen
    """How many objects of ended runs stay, and for how long."""


class System:
    """Everything that reconciles. ``feed`` it with every kind's events, then ``start`` it."""

    def __init__(self, parts: Parts) -> None:
        self.caches = Caches.empty(packed=not parts.embedded)
        self.metrics = Totals()
        self._clock = parts.clock
        recorder = Recorder(parts.store, parts.clock)
        self.world = World(parts.store, parts.ledger, parts.clock, self.caches, recorder, parts.embedded)
        self._by_kind = {cache.kind.kind: cache for cache in self.caches.all()}

        caches = self.caches
        self.runs_queue = WorkQueue("workflowrun", parts.clock)
        self.engine = RunEngine(parts.ledger, parts.clock, self.runs_queue.add_after)
        self.launcher = parts.launcher(self.engine)
        self.engine.attach(self.launcher)
        routes = Routes(self.world)
        entry = Entry(self.world, routes, run_left=self._run_left, enqueue=self.runs_queue.add)
        containers = parts.containers(self._run_moved) if parts.containers else None
        apart = StepsApart(self.world, self.engine, containers)
        self._runs = RunReconciler(self.world, self.engine, routes, entry=entry, apart=apart)

        workflow = WorkflowReconciler(self.world, Drafts(self.world, parts.compiler), entry.wake_queued)
        self.workflows = self._controller("workflow", workflow, caches.workflows.get)
        self.rollouts = self._controller("rollout", RolloutReconciler(self.world), caches.rollouts.get)
        environment = EnvironmentReconciler(self.world, self.launcher.prepare, self.engine.held_up)
        self.environments = self._controller("environment", environment, caches.environments.get)
        self.states = self._controller("environmentstate", EnvironmentStateReconciler(self.world), caches.states.get)
        self.approvals = self._controller("approval", ApprovalReconciler(self.world), caches.approvals.get)
        self.runs = Controller(self._runs, self.runs_queue, caches.runs.get, metrics=self.metrics, workers=RUN_WORKERS)
        self.sweeper = self._controller("retention", RunSweeper(self.world, parts.keep), namespace_of)
        expiry = EventExpiry(self.world)
        self.events = self._controller("event", expiry, expiry.read)
        self.controllers = (
            self.environments,
            self.states,
            self.workflows,
            self.rollouts,
            self.approvals,
            self.runs,
            self.sweeper,
            self.events,
        )
        queues = Queues(
            self.workflows.queue,
            self.rollouts.queue,
            self.environments.queue,
            self.states.queue,
            self.approvals.queue,
            self.runs_queue,
        )
        self._wiring = Wiring(caches, queues, run_vanished=lambda change: self._runs.vanished(change.object))

    def _controller(self, name: str, reconciler: Reconciler, read: Read) -> Controller:
        workers = WORKFLOW_WORKERS if name == "workflow" else 1
        return Controller(reconciler, WorkQueue(name, self._clock), read, metrics=self.metrics, workers=workers)

    def _run_moved(self, namespace: str, name: str) -> None:
        self.runs_queue.add(Key(namespace, name))

    def _run_left(self, namespace: str, workflow: str, part: str) -> None:
        key = Key(namespace, workflow)
        watched = part == "candidate" or self._walks(key)
        delay = ROLLOUT_FIGURES_AFTER if watched else METRICS_AFTER
        self.workflows.queue.add_after(key, 0.0 if self._wiring.is_deleting(key) else delay)
        self.sweeper.queue.add_after(Key(namespace, ""), SWEEP_AFTER)

    def _walks(self, key: Key) -> bool:
        return self.caches.rollouts.version(key) > 0

    # -- life -------------------------------------------------------------------------------------------------------
    def feed(self, event: WatchEvent) -> None:
        """Take in one change of any kind; of kinds that are not Sluice's only Events matter, and those when embedded."""
        cache = self._by_kind.get(event.object.get("kind", ""))
        if cache is not None and event.type != "BOOKMARK":
            cache.apply(event)
        elif event.type == "ADDED" and event.object.get("kind") == kinds.EVENT.kind:
            metadata = event.object["metadata"]
            self.events.queue.add(Key(metadata["namespace"], metadata["name"]))

    def last_known(self, ref: Ref) -> Obj | None:
        """The last state of an object that was fed."""
        cache = self._by_kind.get(ref.kind.kind)
        return cache.get(Key(ref.namespace, ref.name)) if cache is not None else None

    def recover(self) -> None:
        """After the first feed: runs whose objects are gone are given up; all others are in the queue already.

        What ended before is swept as well: how long it stays may be another time now.
        """
        for record in self.world.ledger.open_runs():
            if not self._is_there(record):
                self.world.ledger.abandon(record.uid)
        for namespace in {key.namespace for key in self.caches.runs.keys("")}:
            self.sweeper.queue.add_after(Key(namespace, ""), SWEEP_AFTER)

    def _is_there(self, record: RunRecord) -> bool:
        """Whether a run's object exists. What a cache does not know (yet) is asked of the server."""
        known = self.caches.runs.get(Key(record.namespace, record.name))
        if known is not None and known["metadata"]["uid"] == record.uid:
            return True
        try:
            live = self.world.store.get(Ref(kinds.WORKFLOW_RUN, record.namespace, record.name))
        except NotFound:
            return False
        return bool(live["metadata"]["uid"] == record.uid)

    def start(self) -> None:
        """Start all threads."""
        for controller in self.controllers:
            controller.start()

    def stop(self) -> None:
        """Stop taking up work, let what is in flight end, then stop the runs' processes."""
        for controller in self.controllers:
            controller.stop()
        self.launcher.close()

    def drain(self, limit: int = 100_000) -> int:
        """Without threads: work until nothing is ready, on the caller's thread. Answers with the number of reconciles."""
        done = 0
        progress = True
        while progress:
            progress = False
            for controller in self.controllers:
                while (key := controller.queue.take(wait=False)) is not None:
                    controller.process(key)
                    done += 1
                    progress = True
                    if done >= limit:
                        raise RuntimeError(f"still not quiet after {limit} reconciles: {controller.name} {key}")
        return done
