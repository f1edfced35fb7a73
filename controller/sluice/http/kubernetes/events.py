"""Events under their newer name: ``events.k8s.io/v1`` is the same stored object as core ``v1``, told differently."""

from __future__ import annotations

from sluice.api.kinds import KindInfo
from sluice.ports.store import Obj

EVENTS_V1 = KindInfo("Event", "events", "events.k8s.io/v1", ("ev",), has_status=False)

_RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}


def as_events_v1(event: Obj) -> Obj:
    """The core/v1 event ``event`` in the spelling of events.k8s.io/v1."""
    told = {_RENAMED.get(key, key): value for key, value in event.items()}
    told["apiVersion"] = EVENTS_V1.api_version
    told.setdefault("eventTime", event.get("eventTime") or event.get("lastTimestamp"))
    return told
