"""WorkflowRun: from a stored object to launched segments, and from its end to the object's status.

What a run costs here: one ledger operation to let it in, one object write for its pin, one for its end. Its steps touch
neither this file nor the queue.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sluice.api.workflowrun import TERMINAL_PHASES
from sluice.domain.run.events import CANCEL_REQUESTED, RUN_ENDED, Event
from sluice.ports.errors import Conflict
from sluice.ports.launcher import MAIN_UNIT, LaunchRefused, Segment
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.runs import pinning, segments, status
from sluice.reconcilers.runs.apart import StepsApart, Tended
from sluice.reconcilers.runs.entry import Entry, Refused
from sluice.reconcilers.runs.leaving import Leaving
from sluice.reconcilers.runs.replays import Replays
from sluice.reconcilers.runs.routes import Place, Routes, VersionInForce
from sluice.reconcilers.runs.waiting import Standing, standing
from sluice.reconcilers.world import World, key_of
from sluice.runtime.engine import MAX_LOSSES, SHOW_RUNNING_AFTER, Flight, RunEngine
from sluice.runtime.outcome import DONE, SETTLED, Result, Stalled, Waiting
from sluice.runtime.queue import Key

SHOW_STARTING_AFTER = 3.0
"""Seconds. A run whose runner is there sooner is not shown as one that waits for it."""

REFUSED_AGAIN_AFTER = 30.0
"""Seconds after which a place that refused a segment (quota, pod security) is asked again."""

_TERMINAL = frozenset(phase.value for phase in TERMINAL_PHASES)


class RunReconciler:
    """Admit, pin, launch; resume what was lost; write down the end."""

    def __init__(self, world: World, engine: RunEngine, routes: Routes, *, entry: Entry, apart: StepsApart) -> None:
        self._world = world
        self._engine = engine
        self._entry = entry
        self._apart = apart
        self._replays = Replays(world, routes)
        self._leaving = Leaving(world, engine, left=entry.left)
        self._vanished: dict[Key, set[str]] = {}
        self._lock = threading.Lock()

    def reconcile(self, obj: Obj) -> Result:
        """Move one run on; safe to repeat at any point."""
        if self._vanished:
            self._let_go(key_of(obj))
        if "deletionTimestamp" in obj["metadata"]:
            self._apart.end(obj["metadata"]["uid"])
            return self._leaving.leave(obj)
        if obj.get("status", {}).get("phase") in _TERMINAL:
            if self._engine.flight(obj["metadata"]["uid"]) is not None:  # the answer to that write was lost
                self._let_rest(obj)
            return SETTLED
        uid = obj["metadata"]["uid"]
        flight = self._engine.flight(uid)
        if obj["spec"].get("pin") is None:
            if flight is not None:
                raise Conflict(f"{obj['metadata']['name']} is pinned already; this copy of it is an older one")
            return self._admit(obj)
        if flight is None or flight.lost or flight.paused:
            return self._go_on(obj, flight)
        if flight.end is not None:
            return self._finish(obj, flight.end, flight.ended)
        if obj["spec"].get("cancel") and not self._engine.cancel(uid, "Cancelled") and not self._has_history(uid):
            return self._call_off(obj)
        return self._show(obj, flight, self._tend(obj) if flight.apart else Tended())

    def _tend(self, obj: Obj) -> Tended:
        """See to those steps of a run with an open segment that have pods of their own."""
        place, version = self._entry.of_pin(obj)
        return self._apart.tend(self._segment(obj, place, version))

    def _show(self, obj: Obj, flight: Flight, tended: Tended) -> Result:
        """Write down where it stands, if it takes long enough to be looked at."""
        begun, hindrance = flight.begun, flight.hindrance or tended.hindrance
        again = tended.seconds(self._world.ledger.now()) if tended.due else None
        early = SHOW_RUNNING_AFTER if begun is not None else 0.0 if hindrance else SHOW_STARTING_AFTER
        early -= self._world.clock.monotonic() - (flight.launched if begun is None else begun)
        if early > 0:
            return Result(requeue_after=early if again is None else min(early, again))
        told = status.running if begun is not None else status.starting
        shown = told(self._world, obj, hindrance)
        write_status(self._world, obj, shown)
        return Result(requeue_after=again)

    def _has_history(self, uid: str) -> bool:
        return bool(self._world.ledger.history(uid))

    def _call_off(self, obj: Obj) -> Result:
        """End a cancelled run of which nothing has begun: whoever comes for it now is refused."""
        uid, ledger = obj["metadata"]["uid"], self._world.ledger
        end = _end(ledger.now(), segments.cancelled_body())
        if not ledger.end_run(uid, end):
            return self._go_on(obj, None)
        self._engine.kill(uid)
        return self._finish(obj, end.body, end.at)

    def vanished(self, obj: Obj) -> None:
        """Remember which run it was that is gone; called by the cache's feed before the key is queued."""
        with self._lock:
            self._vanished.setdefault(key_of(obj), set()).add(obj["metadata"]["uid"])

    def gone(self, key: Key) -> Result:
        """The object is gone: stop what runs, give back an unpinned draw."""
        self._let_go(key)
        self._engine.held_up.discard(key)
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report why the run does not move."""
        told = status.pending if obj["spec"].get("pin") is None else status.held_up
        write_status(self._world, obj, told(self._world, obj, ending.reason, ending.message))

    def _let_go(self, key: Key) -> None:
        """Of every run that had this name; another one may have it by now."""
        for uid in tuple(self._vanished.get(key, ())):
            self._apart.end(uid)
            self._leaving.give_up(uid)
            with self._lock:
                known = self._vanished[key]
                known.discard(uid)
                if not known:
                    del self._vanished[key]

    def _admit(self, obj: Obj) -> Result:
        try:
            admitted = self._entry.admit(obj)
        except Refused as refused:
            return self._refuse(obj, refused)
        if admitted is None:
            write_status(self._world, obj, status.queued(self._world, obj))
            return DONE
        pinned = pinning.write_pin(self._world, obj, admitted)
        self._world.ledger.pinned(obj["metadata"]["uid"])
        history = self._replays.begin(pinned, admitted.version)
        root = self._replays.root(pinned)
        segment = segments.build(
            pinned, admitted.version, admitted.place, admitted.draw.epoch, history=history, root=root
        )
        return self._launch(segment)

    def _refuse(self, obj: Obj, refused: Refused) -> Result:
        """Write down, in ledger and object, that the run never began. What the ledger says already stands."""
        ledger, uid = self._world.ledger, obj["metadata"]["uid"]
        failure = {"reason": refused.reason.value, "message": refused.message}
        event = _end(ledger.now(), {"phase": refused.phase.value, "reason": refused.reason.value, "failure": failure})
        ledger.reject(refused.admission, event)
        ledger.end_run(uid, event)
        record = ledger.run(uid)
        return self._finish(obj, record.end if record else event.body, record.ended if record else event.at)

    def _go_on(self, obj: Obj, flight: Flight | None) -> Result:
        """Go on with a pinned run from what is recorded: after a restart, a wait, or the loss of its process."""
        uid, ledger = obj["metadata"]["uid"], self._world.ledger
        record = ledger.run(uid) or self._entry.readmit(obj)
        if record.ended:
            return self._finish(obj, record.end, record.ended)
        place, version = self._entry.of_pin(obj)
        obj = pinning.mark_place(self._world, obj, place.placement)
        if flight is not None and flight.losses > MAX_LOSSES:
            end = _end(ledger.now(), segments.lost_body(flight))
            ledger.end_run(uid, end)
            return self._finish(obj, end.body, end.at)
        segment = self._segment(obj, place, version)
        if flight is None and self._adopt(segment):
            return Result(requeue_after=0.0)
        tended = self._apart.tend(segment)
        if tended.recorded:
            segment = self._segment(obj, place, version)
        # Once the wish is recorded, what the run still has to do (``finally``) is waited for like anything else.
        known = any(event.kind == CANCEL_REQUESTED for event in segment.history)
        cancel = bool(obj["spec"].get("cancel")) and not known
        if not cancel:
            now = ledger.now()
            stands = standing(segment, now)
            if stands.due == 0 or stands.due > now:
                return self._wait(obj, stands, tended)
        return self._launch(segments.at_epoch(segment, ledger.raise_epoch(uid, MAIN_UNIT), cancel=cancel))

    def _segment(self, obj: Obj, place: Place, version: VersionInForce) -> Segment:
        """The next segment of a pinned run by what is recorded, at no epoch yet."""
        history = self._world.ledger.history(obj["metadata"]["uid"]) or self._replays.begin(obj, version)
        return segments.build(obj, version, place, 0, history=history, root=self._replays.root(obj))

    def _wait(self, obj: Obj, stands: Standing, tended: Tended) -> Result:
        """No segment is needed now: what is left waits, or runs in pods of its own."""
        if tended.under_way:
            tended.look_again(stands.due)
            write_status(self._world, obj, status.running(self._world, obj, tended.hindrance))
        else:
            tended.due = stands.due
            write_status(self._world, obj, status.waiting(self._world, obj, stands))
        return Result(requeue_after=tended.seconds(self._world.ledger.now()) if tended.due else None)

    def _adopt(self, segment: Segment) -> bool:
        """Whether an earlier controller launched a segment that still runs, or can still begin: it is this one's now."""
        epoch = self._world.ledger.epoch(segment.run.uid, segment.unit)
        with _waiting_for_its_place():
            return epoch > 0 and self._engine.adopt(segments.at_epoch(segment, epoch))

    def _launch(self, segment: Segment) -> Result:
        with _waiting_for_its_place():
            self._engine.launch(segment)
        return Result(requeue_after=SHOW_RUNNING_AFTER)

    def _finish(self, obj: Obj, end: Obj, at: int) -> Result:
        """Write the end into the object. ``at`` in microseconds."""
        write_status(self._world, obj, status.ended(obj, end, at))
        self._let_rest(obj)
        return SETTLED

    def _let_rest(self, obj: Obj) -> None:
        """Its end stands in it: nothing is kept for it any more, and whoever waited for it is told."""
        self._engine.forget(obj["metadata"]["uid"])
        self._engine.held_up.discard(key_of(obj))
        self._apart.end(obj["metadata"]["uid"])
        self._entry.ended(obj)


@contextmanager
def _waiting_for_its_place() -> Iterator[None]:
    """Show why the place takes nothing, and ask it again later."""
    try:
        yield
    except LaunchRefused as refused:
        raise Waiting(refused.why, str(refused), retry_after=REFUSED_AGAIN_AFTER) from refused


def _end(at: int, body: dict[str, Any]) -> Event:
    return Event(RUN_ENDED, "", 0, at, body)
