"""WorkflowRun: from a stored object to a launched segment, and from its end to the object's status.

What a run costs here: one ledger operation to let it in, one object write for its pin, one for its end. Its steps touch
neither this file nor the queue.
"""

from __future__ import annotations

from sluice.api.workflowrun import TERMINAL_PHASES
from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.launcher import MAIN_UNIT
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.runs import pinning, segments, status
from sluice.reconcilers.runs.entry import Entry, Refused
from sluice.reconcilers.runs.routes import Routes
from sluice.reconcilers.world import World, key_of
from sluice.runtime.engine import MAX_LOSSES, RunEngine
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key

SHOW_RUNNING_AFTER = 0.25
"""Seconds. A run that ends sooner is written once, with its end."""

_TERMINAL = frozenset(phase.value for phase in TERMINAL_PHASES)


class RunReconciler:
    """Admit, pin, launch; resume what was lost; write down the end."""

    def __init__(self, world: World, engine: RunEngine, routes: Routes, entry: Entry) -> None:
        self._world = world
        self._engine = engine
        self._routes = routes
        self._entry = entry
        self._vanished: dict[Key, str] = {}

    def reconcile(self, obj: Obj) -> Result:
        """Move one run on; safe to repeat at any point."""
        if obj.get("status", {}).get("phase") in _TERMINAL:
            return DONE
        if obj["spec"].get("pin") is None:
            return self._admit(obj)
        uid = obj["metadata"]["uid"]
        flight = self._engine.flight(uid)
        if flight is None or flight.lost:
            return self._resume(obj, losses=flight.losses if flight else 0)
        if flight.end is not None:
            return self._finish(obj, flight.end)
        if obj["spec"].get("cancel"):
            self._engine.cancel(uid, "Cancelled")
        early = SHOW_RUNNING_AFTER - (self._world.clock.monotonic() - flight.launched)
        if early > 0:
            return Result(requeue_after=early)
        write_status(self._world, obj, status.running(self._world, obj))
        return DONE

    def vanished(self, obj: Obj) -> None:
        """Remember which run it was that is gone; called by the cache's feed before the key is queued."""
        self._vanished[key_of(obj)] = obj["metadata"]["uid"]

    def gone(self, key: Key) -> Result:
        """The object is gone: stop what runs, give back an unpinned draw."""
        uid = self._vanished.get(key)
        if uid is not None:
            self._engine.kill(uid)
            self._world.ledger.abandon(uid)
            self._vanished.pop(key, None)
            self._entry.left(key, uid)
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report why the run has not begun."""
        write_status(self._world, obj, status.pending(self._world, obj, ending.reason, ending.message))

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
        segment = segments.build(pinned, admitted.version, admitted.place, admitted.draw.epoch)
        self._engine.launch(segment)
        return Result(requeue_after=SHOW_RUNNING_AFTER)

    def _refuse(self, obj: Obj, refused: Refused) -> Result:
        """Write down, in ledger and object, that the run never began."""
        now = self._world.ledger.now()
        failure = {"reason": refused.reason.value, "message": refused.message}
        body = {"phase": refused.phase.value, "reason": refused.reason.value, "failure": failure}
        event = Event(RUN_ENDED, "", 0, now, body)
        if refused.admission is not None:
            self._world.ledger.reject(refused.admission, event)
            self._world.ledger.end_run(obj["metadata"]["uid"], event)
        return self._finish(obj, body)

    def _resume(self, obj: Obj, *, losses: int) -> Result:
        """Launch a pinned run again from what is recorded: after a restart, or when its process was lost."""
        uid, ledger = obj["metadata"]["uid"], self._world.ledger
        record = ledger.run(uid) or self._entry.readmit(obj)
        if record.ended:
            return self._finish(obj, record.end)
        place, version = self._entry.of_pin(obj)
        if losses > MAX_LOSSES:
            body = segments.lost_body(losses)
            ledger.end_run(uid, Event(RUN_ENDED, "", 0, ledger.now(), body))
            return self._finish(obj, body)
        epoch = ledger.raise_epoch(uid, MAIN_UNIT)
        segment = segments.build(obj, version, place, epoch, history=ledger.history(uid), started=record.started)
        self._engine.launch(segment)
        if obj["spec"].get("cancel"):
            self._engine.cancel(uid, "Cancelled")
        return Result(requeue_after=SHOW_RUNNING_AFTER)

    def _finish(self, obj: Obj, end: Obj) -> Result:
        """Write the end into the object, and let whoever waited for it know."""
        write_status(self._world, obj, status.ended(self._world, obj, end))
        uid = obj["metadata"]["uid"]
        self._engine.forget(uid)
        self._entry.left(key_of(obj), uid)
        return DONE
