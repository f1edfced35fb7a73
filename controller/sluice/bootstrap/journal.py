"""The journal of acts: entries are taken from any thread and written down in order by a thread of their own.

Nobody waits for them. They are written at once, but those about new runs in batches: a run's start is in the ledger anyway.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any

from sluice.ports.errors import Unavailable
from sluice.ports.ledger import AuditEvent, Ledger

BATCH_AFTER = 0.25
"""Seconds that entries which are not urgent are gathered for."""
RETRY_AFTER = 1.0
KEPT = 10_000
"""Entries that are kept while the ledger can't be written; further ones are logged and lost."""

log = logging.getLogger(__name__)


class Journal:
    """Takes entries from any thread and writes them down in order."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: deque[AuditEvent] = deque()
        self._condition = threading.Condition()
        self._urgent = False
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
        self._thread.start()

    def enter(
        self, actor: str, action: str, place: tuple[str, str], body: dict[str, Any], *, urgent: bool = True
    ) -> None:
        """Have it written down; returns at once. ``place`` is namespace and object. What is not ``urgent`` may wait."""
        event = AuditEvent(self._ledger.now(), actor, action, *place, body)
        with self._condition:
            if len(self._waiting) >= KEPT or self._closed:
                log.error("an audit entry is lost, the ledger can't be written: %s", event)
                return
            self._waiting.append(event)
            self._urgent = self._urgent or urgent
            self._condition.notify()

    def close(self) -> None:
        """Write down what waits, then stop."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closed)
                self._condition.wait_for(lambda: self._urgent or self._closed, BATCH_AFTER)
                events, closed, self._urgent = list(self._waiting), self._closed, False
            if events and not self._write(events) and not closed:
                with self._condition:
                    self._condition.wait_for(lambda: self._closed, RETRY_AFTER)
            if closed:
                return

    def _write(self, events: list[AuditEvent]) -> bool:
        try:
            self._ledger.audit(events)
        except Unavailable as error:
            log.warning("%d audit entries could not be written, trying again: %s", len(events), error)
            return False
        with self._condition:
            for _ in events:
                self._waiting.popleft()
        return True
