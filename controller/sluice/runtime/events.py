"""Kubernetes Events: what happened to an object, for ``kubectl describe`` and ``kubectl events``.

An Event that repeats is counted up in place under a name derived from what it says, so a controller that is started again
adds to it rather than beside it. Events are a courtesy: failing to write one never stops a reconcile.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Literal

from sluice.api import kinds
from sluice.domain.timestamps import stamp
from sluice.ports.clock import Clock
from sluice.ports.errors import AlreadyExists, PortError
from sluice.ports.store import Obj, Ref, Store

MESSAGE_LIMIT = 1024
COMPONENT = "sluice-controller"

log = logging.getLogger(__name__)


class Recorder:
    """Writes Events about objects."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(self, about: Obj, type: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell people once; a repeat raises the count."""
        event = self._event(about, type, reason, message[:MESSAGE_LIMIT])
        try:
            try:
                self._store.create(event, manager=COMPONENT)
            except AlreadyExists:
                self._count_up(event)
        except PortError as error:
            log.debug("event %s about %s was not written: %s", reason, about["metadata"]["name"], error)

    def _event(self, about: Obj, type: str, reason: str, message: str) -> Obj:
        metadata = about["metadata"]
        said = hashlib.sha256(f"{metadata.get('uid', '')}\0{type}\0{reason}\0{message}".encode()).hexdigest()[:16]
        now = stamp(self._clock.now())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{said}", "namespace": metadata.get("namespace") or "default"},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": metadata["name"],
                "namespace": metadata.get("namespace", ""),
                "uid": metadata.get("uid", ""),
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "type": type,
            "reason": reason,
            "message": message,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }

    def _count_up(self, event: Obj) -> None:
        ref = Ref(kinds.EVENT, event["metadata"]["namespace"], event["metadata"]["name"])
        known = self._store.get(ref)
        counted = {"count": known.get("count", 1) + 1, "lastTimestamp": event["lastTimestamp"]}
        self._store.patch(ref, counted, manager=COMPONENT)
