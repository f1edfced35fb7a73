"""Candidates on one store in memory, with a clock that a test moves and requests that it makes slow or lets fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sluice.adapters.kubernetes.candidacy import Candidacy, Standing, Times
from sluice.adapters.kubernetes.leases import LeaseName, Record, read
from sluice.ports.errors import Unavailable
from sluice.ports.store import Obj, Ref, Store, WatchEvent

NAME = LeaseName("default", "leader")


class Hands:
    """A clock: seconds since the start go on as told, the time of day is what it is set to."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.time = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

    def now(self) -> dt.datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Path:
    """The way from one candidate to the store. ``before`` and ``after`` happen around the next request of a verb, once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}
        self.asked: list[str] = []

    def get(self, ref: Ref) -> Obj:
        return self._asked("get", lambda: self._store.get(ref))

    def create(self, obj: Obj) -> Obj:
        return self._asked("create", lambda: self._store.create(obj))

    def update(self, obj: Obj) -> Obj:
        return self._asked("update", lambda: self._store.update(obj))

    def _asked(self, verb: str, ask: Callable[[], Obj]) -> Obj:
        self.asked.append(verb)
        self.before.pop(verb, _nothing)()
        answer = ask()
        self.after.pop(verb, _nothing)()
        return answer


class Scene:
    """Candidates of one Lease."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Hands()
        self.paths: dict[str, Path] = {}

    def candidate(self, name: str, times: Times | None = None, clock: Any = None) -> Candidacy:
        self.paths[name] = path = Path(self.store)
        standing = Standing(name, f"https://{name}:8443")
        return Candidacy(path, NAME, standing, times=times or Times(), clock=clock or self.clock)  # type: ignore[arg-type]

    def leader(self, name: str = "a") -> Candidacy:
        made = self.candidate(name)
        made.step()
        assert made.is_leading()
        return made

    @property
    def lease(self) -> Obj:
        return self.store.get(NAME.ref)

    @property
    def record(self) -> Record:
        return read(self.lease)

    def change(self, **spec: Any) -> WatchEvent:
        """Somebody edits the Lease by hand; answers with what a watch tells of it."""
        lease = self.store.patch(NAME.ref, {"spec": spec})
        return told(lease)


def told(lease: Obj, type: Any = "MODIFIED") -> WatchEvent:
    """What a watch says of a state of the Lease."""
    return WatchEvent(type, lease, lease["metadata"]["resourceVersion"])


def _nothing() -> None:
    """What happens where nothing does."""


def away() -> None:
    """For ``before`` and ``after``: the request or its answer is lost."""
    raise Unavailable("the network is away; whether a write happened is unknown")
