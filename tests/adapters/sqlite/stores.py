"""A store on a file that can be closed and opened again, and small objects to put in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import API_VERSION, ROLLOUT, WORKFLOW
from sluice.ports.store import Obj, Ref


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def advance(self, **delta: float) -> None:
        self.time += dt.timedelta(**delta)


class Opened:
    """A writer and the store on it. ``fault`` is the writer's crash hook."""

    def __init__(self, path: Path | str = ":memory:", *, fault: Callable[[str], None] | None = None) -> None:
        self.clock = HandClock()
        self.writer = Writer(path, fault=fault)
        self.store = SqliteStore(self.writer, clock=self.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()
        self.writer.close()

    def settle(self) -> None:
        """Wait until the writer has done what it gave itself to do (garbage collection queues behind each commit)."""
        for _ in range(20):
            self.writer.run(lambda _: None)


def obj(kind: str, name: str, **metadata: Any) -> Obj:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"owner": "ana@example.com"},
    }


def owner_reference(owner: Obj) -> dict[str, Any]:
    metadata = owner["metadata"]
    return {"apiVersion": API_VERSION, "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}


def workflow(name: str) -> Ref:
    return Ref(WORKFLOW, "default", name)


def rollout(name: str) -> Ref:
    return Ref(ROLLOUT, "default", name)
