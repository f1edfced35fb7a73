"""The controllers, put together: caches, queues, reconcilers, and which change wakes whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sluice.ports.clock import Clock
from sluice.ports.compiler import Compiler
from sluice.ports.launcher import Launcher, SegmentSink
from sluice.ports.ledger import Ledger
from sluice.ports.store import Store, WatchEvent
from sluice.reconcilers.approval import ApprovalReconciler
from sluice.reconcilers.drafts import Drafts
from sluice.reconcilers.environment import EnvironmentReconciler
from sluice.reconcilers.environmentstate import EnvironmentStateReconciler
from sluice.reconcilers.rollout import RolloutReconciler
from sluice.reconcilers.runs.entry import Entry
from sluice.reconcilers.runs.routes import Routes
from sluice.reconcilers.runs.run import RunReconciler
from sluice.reconcilers.runs.sweeping import SWEEP_AFTER, RunSweeper, namespace_of
from sluice.reconcilers.workflow import WorkflowReconciler
from sluice.reconcilers.world import BY_NAMESPACE, DEFAULT_ROLLOUT, Caches, World
from sluice.runtime.cache import Change
from sluice.runtime.controller import Controller, Read, Reconciler
from sluice.runtime.engine import RunEngine
from sluice.runtime.events import Recorder
from sluice.runtime.metrics import Totals
from sluice.runtime.queue import Key, WorkQueue

METRICS_AFTER = 30.0
ROLLOUT_FIGURES_AFTER = 1.0
"""Seconds after a run's end in which its workflow's figures move: sooner where a gate may wait for them."""

GENERAL_WORKERS = 2
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


class System:
    """Everything that reconciles. ``feed`` it with every kind's events, then ``start`` it."""

    def __init__(self, parts: Parts) -> None:
        self.caches = Caches.empty()
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
        self._runs = RunReconciler(self.world, self.engine, routes, entry)

        workflow = WorkflowReconciler(self.world, Drafts(self.world, parts.compiler), entry.wake_queued)
        self.workflows = self._controller("workflow", workflow, caches.workflows.get)
        self.rollouts = self._controller("rollout", RolloutReconciler(self.world), caches.rollouts.get)
        self.environments = self._controller("environment", EnvironmentReconciler(self.world), caches.environments.get)
        self.states = self._controller("environmentstate", EnvironmentStateReconciler(self.world), caches.states.get)
        self.approvals = self._controller("approval", ApprovalReconciler(self.world), caches.approvals.get)
        self.runs = Controller(self._runs, self.runs_queue, caches.runs.get, metrics=self.metrics, workers=RUN_WORKERS)
        self.sweeper = self._controller("retention", RunSweeper(self.world), namespace_of)
        self.controllers = (
            self.environments,
            self.states,
            self.workflows,
            self.rollouts,
            self.approvals,
            self.runs,
            self.sweeper,
        )
        self._seen_workflows: dict[Key, tuple[object, ...]] = {}
        self._wire()

    def _controller(self, name: str, reconciler: Reconciler, read: Read) -> Controller:
        workers = GENERAL_WORKERS if name == "workflow" else 1
        return Controller(reconciler, WorkQueue(name, self._clock), read, metrics=self.metrics, workers=workers)

    # -- which change wakes whom ------------------------------------------------------------------------------------
    def _wire(self) -> None:
        caches = self.caches
        caches.workflows.on_change(self._workflow_changed)
        caches.versions.on_change(lambda change: self._wake(change, change.object["spec"]["workflow"]))
        caches.rollouts.on_change(self._rollout_changed)
        caches.environments.on_change(self._environment_changed)
        caches.states.on_change(self._state_changed)
        caches.approvals.on_change(self._approval_changed)
        caches.runs.on_change(self._run_changed)

    def _wake(self, change: Change, workflow: str) -> None:
        self.workflows.queue.add(Key(change.key.namespace, workflow))

    def _wake_all(self, namespace: str) -> None:
        for key in self.caches.workflows.keys_by(BY_NAMESPACE, namespace):
            self.workflows.queue.add(key)

    def _workflow_changed(self, change: Change) -> None:
        """A status is only read by those who show it; the workflow itself is looked at when anything else moved."""
        metadata = change.object["metadata"]
        seen = (
            metadata.get("uid"),
            metadata.get("generation"),
            metadata.get("deletionTimestamp"),
            metadata.get("annotations"),
        )
        if change.type == "DELETED":
            self._seen_workflows.pop(change.key, None)
        if change.type == "DELETED" or self._seen_workflows.get(change.key) != seen:
            self.workflows.queue.add(change.key)
            if change.type != "DELETED":
                self._seen_workflows[change.key] = seen
        if self.caches.rollouts.version(change.key):
            self.rollouts.queue.add(change.key)
        for state in change.object["spec"].get("environments") or {}:
            self._wake_state(change.key, state)

    def _wake_state(self, workflow: Key, environment: str) -> None:
        key = Key(workflow.namespace, f"{workflow.name}.{environment}")
        if self.caches.states.version(key):
            self.states.queue.add(key)

    def _rollout_changed(self, change: Change) -> None:
        self.rollouts.queue.add(change.key)
        if change.key.name == DEFAULT_ROLLOUT:
            self._wake_all(change.key.namespace)
        else:
            self.workflows.queue.add(change.key)

    def _environment_changed(self, change: Change) -> None:
        self.environments.queue.add(change.key)
        self._wake_all(change.key.namespace)

    def _state_changed(self, change: Change) -> None:
        self.states.queue.add(change.key)
        self._wake(change, change.key.name.partition(".")[0])

    def _approval_changed(self, change: Change) -> None:
        self.approvals.queue.add(change.key)
        version = change.object["spec"]["subject"].get("version")
        if version:
            self._wake(change, version.rpartition("-v")[0])

    def _run_changed(self, change: Change) -> None:
        """A run that is pinned is moved on by its engine: its own writes need no second look."""
        if change.type == "DELETED":
            self._runs.vanished(change.object)
            self.runs_queue.add(change.key)
            return
        spec = change.object["spec"]
        if change.type == "ADDED" or "pin" not in spec or spec.get("cancel"):
            self.runs_queue.add(change.key)

    def _run_left(self, namespace: str, workflow: str, part: str) -> None:
        watched = part == "candidate" or self._walks(Key(namespace, workflow))
        self.workflows.queue.add_after(Key(namespace, workflow), ROLLOUT_FIGURES_AFTER if watched else METRICS_AFTER)
        self.sweeper.queue.add_after(Key(namespace, ""), SWEEP_AFTER)

    def _walks(self, key: Key) -> bool:
        return self.caches.rollouts.version(key) > 0

    # -- life -------------------------------------------------------------------------------------------------------
    def feed(self, event: WatchEvent) -> None:
        """Take in one event of any kind; others than Sluice's are passed over."""
        cache = self._by_kind.get(event.object.get("kind", ""))
        if cache is not None and event.type != "BOOKMARK":
            cache.apply(event)

    def recover(self) -> None:
        """After the first feed: runs whose objects are gone are given up; all others are in the queue already."""
        present = {run["metadata"]["uid"] for key in self.caches.runs.keys("") if (run := self.caches.runs.get(key))}
        for record in self.world.ledger.open_runs():
            if record.uid not in present:
                self.world.ledger.abandon(record.uid)

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
