"""A controller on a cluster, with environments at home, next door and on another cluster that may be away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.adapters.local.compiler import DefinitionCompiler
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.store import SqliteStore
from sluice.api import kinds
from sluice.api.kinds import NAMESPACE
from sluice.api.reasons import Reason
from sluice.bootstrap.system import Parts, System
from sluice.crds.bundle import schemas
from sluice.domain.launching.placement import Placement
from sluice.ports.launcher import LaunchRefused, Segment
from sluice.ports.store import Obj, Ref
from tests.simulation.embedded import Simulation
from tests.simulation.stepping import Execute, SteppingLauncher

AWAY = LaunchRefused(Reason.CLUSTER_UNREACHABLE, "the cluster of Secret far can't be reached: no connection")
NO_SECRET = LaunchRefused(Reason.KUBECONFIG_UNUSABLE, "there is no Secret far in namespace default")


class RemoteLauncher(SteppingLauncher):
    """Its segments outlive it. ``refusal`` is what another cluster answers with now; ``jobs`` are (uid, place)."""

    remote = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.refusal: LaunchRefused | None = None
        self.jobs: list[tuple[str, str]] = []
        self.asked: list[str] = []

    def prepare(self, placement: Placement) -> None:
        self._reach(placement)

    def launch(self, segment: Segment) -> None:
        assert segment.placement is not None
        self._reach(segment.placement)
        super().launch(segment)
        self.jobs.append((segment.run.uid, self._name(segment.placement)))
        self._sink.began(segment.run.uid, segment.unit, segment.epoch)

    def adopt(self, segment: Segment) -> bool:
        assert segment.placement is not None
        self._reach(segment.placement)
        opened = self.open.get(segment.run.uid)
        return opened is not None and opened.segment.epoch == segment.epoch

    def clear(self, run_uid: str, places: Sequence[Placement]) -> None:
        for place in places:
            self.asked.append(self._name(place))
            self._reach(place)
            self.jobs = [job for job in self.jobs if job != (run_uid, self._name(place))]

    def kill(self, run_uid: str) -> None:
        """Where it can't be reached it goes on."""
        if self.refusal is None:
            super().kill(run_uid)

    def _reach(self, placement: Placement) -> None:
        if placement.is_remote and self.refusal is not None:
            raise LaunchRefused(self.refusal.why, str(self.refusal))

    def _name(self, placement: Placement) -> str:
        return f"{placement.namespace}@{placement.cluster.kubeconfig_secret if placement.cluster else 'home'}"


class LeavingNamespace:
    """A store in which every namespace is being deleted, if told so."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_leaving = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, ref: Ref) -> Obj:
        found = self._store.get(ref)
        if ref.kind is NAMESPACE and self.is_leaving:
            found["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
        return found


class ElsewhereSimulation(Simulation):
    """Environments ``home``, ``next`` (another namespace) and ``far`` (another cluster), and a published workflow."""

    launcher: RemoteLauncher

    def _build(self, execute: Execute) -> None:
        known = schemas()
        self.store = LeavingNamespace(SqliteStore(self.writer, None, self.clock, lambda kind: known.get(kind.kind)))  # type: ignore[assignment]
        self.ledger = SqliteLedger(self.writer, self.clock)
        self._start(execute)
        self.environment("home")
        self.environment("next", namespace="jobs")
        self.environment("far", namespace="jobs", cluster={"kubeconfigSecret": "far", "runnerUrl": "https://x:8443"})
        self.workflow()
        self.settle()

    def _start(self, execute: Execute, before: RemoteLauncher | None = None) -> None:
        def launcher(sink: Any) -> RemoteLauncher:
            self.launcher = RemoteLauncher(sink, self.clock, execute)
            if before is not None:
                self.launcher.open, self.launcher.jobs = before.open, before.jobs
                self.launcher.refusal = before.refusal
            return self.launcher

        parts = Parts(self.store, self.ledger, self.clock, DefinitionCompiler(), launcher, embedded=False)
        self.system = System(parts)
        events, _, self._subscription = self.store.snapshot_and_subscribe(
            (*kinds.SLUICE_KINDS, kinds.EVENT), self.system.feed
        )
        for event in events:
            self.system.feed(event)
        self.system.recover()

    def replace_controller(self) -> None:
        """The controller is another process now; what was launched elsewhere goes on."""
        self._subscription.close()
        self._start(self.launcher.execute, self.launcher)

    def begin(self, name: str, environment: str) -> Obj:
        """A run that has begun and does not go on by itself."""
        self.run(name, environment=environment)
        self.settle()
        return self.get(kinds.WORKFLOW_RUN, name)
