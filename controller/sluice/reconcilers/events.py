"""Events do not stay: the API server of a cluster drops them after an hour, and embedded this does."""

from __future__ import annotations

import datetime as dt

from sluice.api import kinds
from sluice.domain.timestamps import parse_stamp
from sluice.ports.errors import Conflict, NotFound
from sluice.ports.store import Obj, Ref
from sluice.reconcilers.world import World
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key

KEEP = dt.timedelta(hours=1)
"""After an Event was last counted up."""


class EventExpiry:
    """Deletes an Event when its time is over."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, key: Key) -> Obj | None:
        """An Event as it is stored: there is no cache of them."""
        try:
            return self._world.store.get(Ref(kinds.EVENT, key.namespace, key.name))
        except NotFound:
            return None

    def reconcile(self, obj: Obj) -> Result:
        """Delete it, or look again when it may go."""
        metadata = obj["metadata"]
        left = _last_seen(obj) + KEEP - self._world.clock.now()
        if left > dt.timedelta():
            return Result(requeue_after=left.total_seconds())
        try:
            ref = Ref(kinds.EVENT, metadata["namespace"], metadata["name"])
            self._world.store.delete(ref, resource_version=metadata["resourceVersion"])
        except NotFound:
            return DONE
        except Conflict:
            return Result(requeue_after=KEEP.total_seconds())  # it was counted up at this moment
        return DONE

    def gone(self, key: Key) -> Result:
        """Nothing was kept for it."""
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Nothing here waits or stalls."""


def _last_seen(obj: Obj) -> dt.datetime:
    series = obj.get("series") or {}
    times = (series.get("lastObservedTime"), obj.get("lastTimestamp"), obj.get("eventTime"))
    known = next((time for time in times if time), obj["metadata"]["creationTimestamp"])
    try:
        return parse_stamp(known)
    except (TypeError, ValueError):
        return parse_stamp(obj["metadata"]["creationTimestamp"])
