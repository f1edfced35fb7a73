"""One process, no threads but the writer's, a clock moved by hand: the whole controller, deterministic."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sluice.adapters.local.compiler import DefinitionCompiler
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api import kinds
from sluice.api.kinds import API_VERSION, KindInfo
from sluice.bootstrap.system import Parts, System
from sluice.crds.bundle import schemas
from sluice.ports.errors import AlreadyExists
from sluice.ports.store import Obj, Ref
from sluice.reconcilers.runs.retention import Keep
from tests.simulation.containers import HandContainers
from tests.simulation.stepping import Execute, SteppingLauncher, echo

NAMESPACE = "default"


class HandClock:
    """Wall and monotonic time that move when told to."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def advance(self, **delta: float) -> None:
        self.time += dt.timedelta(**delta)


class Simulation:
    """The embedded controller on a file (or in memory); ``reopen`` starts it anew from what is on disk."""

    def __init__(
        self,
        path: Path | str = ":memory:",
        *,
        clock: HandClock | None = None,
        fault: Callable[[str], None] | None = None,
        execute: Execute = echo,
        containers: HandContainers | None = None,
        keep: Keep = Keep(),  # noqa: B008 - frozen
    ) -> None:
        """``containers`` are those of a cluster, on which everything else is as it is embedded."""
        self.clock = clock or HandClock()
        self.containers = containers
        self.keep = keep
        self.writer = Writer(path, fault=fault)
        try:
            self._build(execute)
        except BaseException:
            self.writer.close()
            raise

    def _build(self, execute: Execute) -> None:
        known = schemas()
        self.store = SqliteStore(self.writer, None, self.clock, lambda kind: known.get(kind.kind))
        self.ledger = SqliteLedger(self.writer, self.clock)
        self.launcher: SteppingLauncher

        def launcher(sink: Any) -> SteppingLauncher:
            self.launcher = SteppingLauncher(sink, self.clock, execute)
            return self.launcher

        embedded = self.containers is None
        containers = self.containers.tell if self.containers else None
        compiler = DefinitionCompiler(embedded=embedded)
        parts = Parts(
            self.store,
            self.ledger,
            self.clock,
            compiler,
            launcher,
            embedded=embedded,
            containers=containers,
            keep=self.keep,
        )
        self.system = System(parts)
        followed = (*kinds.SLUICE_KINDS, kinds.EVENT)
        events, _, self._subscription = self.store.snapshot_and_subscribe(followed, self.system.feed)
        for event in events:
            self.system.feed(event)
        self.system.recover()

    def close(self) -> None:
        self._subscription.close()
        self.store.close()
        self.writer.close()

    # -- what a user does -------------------------------------------------------------------------------------------
    def create(self, kind: KindInfo, name: str, spec: Mapping[str, Any]) -> Obj:
        """Create an object; one that an earlier try made is fine."""
        obj = {"apiVersion": API_VERSION, "kind": kind.kind, "metadata": {"name": name, "namespace": NAMESPACE}}
        try:
            return self.store.create({**obj, "spec": dict(spec)}, manager="test")
        except AlreadyExists:
            return self.get(kind, name)

    def patch(self, kind: KindInfo, name: str, spec: Mapping[str, Any]) -> Obj:
        return self.store.patch(Ref(kind, NAMESPACE, name), {"spec": dict(spec)}, manager="test")

    def get(self, kind: KindInfo, name: str) -> Obj:
        return self.store.get(Ref(kind, NAMESPACE, name))

    def list(self, kind: KindInfo) -> list[Obj]:
        return self.store.list(kind, NAMESPACE).items

    def environment(self, name: str = "sandbox", **spec: Any) -> Obj:
        return self.create(kinds.ENVIRONMENT, name, {"type": "Sandbox", "defaultState": "Active", **spec})

    def workflow(self, name: str = "greet", code: str = "output = 1", **spec: Any) -> Obj:
        return self.create(kinds.WORKFLOW, name, {"owner": "ana@example.com", "definition": definition(code), **spec})

    def edit(self, name: str, code: str) -> Obj:
        return self.patch(kinds.WORKFLOW, name, {"definition": definition(code)})

    def run(self, name: str, workflow: str = "greet", environment: str = "sandbox", **given: Any) -> Obj:
        return self.create(
            kinds.WORKFLOW_RUN, name, {"input": {"workflow": workflow, "environment": environment, **given}}
        )

    # -- what happens then ------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Reconcile until nothing is ready, without letting steps run."""
        self.system.drain(limit=20_000)

    def finish_runs(self) -> None:
        """Let every run end."""
        self.settle()
        while self.launcher.run_all():
            self.settle()

    def pass_time(self, **delta: float) -> None:
        self.clock.advance(**delta)
        self.settle()


def definition(code: str, steps: int = 2) -> dict[str, Any]:
    """A chain of code steps that differ by ``code``."""
    return {
        "steps": [
            {
                "name": f"s{n}",
                "needs": [f"s{n - 1}"] if n else [],
                "action": {"python": {"code": code}},
            }
            for n in range(steps)
        ]
    }
