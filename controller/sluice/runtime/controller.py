"""The frame around one reconcile: what every kind shares, so that each reconciler holds only its own logic.

It takes a key, reads the object, hands it over, sorts the ways it can end, and keeps time and counts. Conflict is the
normal case of a stale cache and only means: look again; an object in a namespace that is being deleted goes soon itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from sluice.ports.errors import AlreadyExists, Conflict, Fenced, NotFound, Terminating, Unavailable
from sluice.ports.store import Obj
from sluice.runtime.metrics import ControllerMetrics
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key, WorkQueue

log = logging.getLogger(__name__)


Read = Callable[[Key], Obj | None]
"""A copy of what a key names, or None: usually ``Cache.get``."""


class Reconciler(Protocol):
    """One kind's own logic."""

    def reconcile(self, obj: Obj) -> Result:
        """Bring one object closer to what it declares; safe to repeat at any point. ``obj`` is the reconciler's own copy."""

    def gone(self, key: Key) -> Result:
        """The object is not there any more: let go of what was kept for it."""

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report on the object why it does not move."""


class Controller:
    """Runs one reconciler over one queue with a fixed number of threads."""

    def __init__(
        self, reconciler: Reconciler, queue: WorkQueue, read: Read, *, metrics: ControllerMetrics, workers: int = 1
    ) -> None:
        self.name = queue.name
        self.queue = queue
        self._reconciler = reconciler
        self._read = read
        self._metrics = metrics
        self._workers = workers
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"{self.name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let reconciles in flight finish, then end."""
        self.queue.close()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (key := self.queue.take()) is not None:
            self.process(key)

    def process(self, key: Key) -> None:
        """One reconcile of a key that was taken from the queue."""
        started = time.perf_counter()
        outcome = "error"
        try:
            result = self._reconcile(key)
            outcome = "done"
            self.queue.forget(key)
            if result.settled:
                self.queue.settle(key)
            elif result.requeue_after is not None:
                self.queue.add_after(key, result.requeue_after)
        except (Conflict, AlreadyExists, NotFound, Terminating) as error:
            outcome = "conflict"
            log.debug("%s %s/%s: looking again: %s", self.name, *key, error)
            self.queue.retry(key)
        except (Unavailable, Fenced) as error:  # Fenced: another one leads, and will look
            outcome = "unavailable"
            delay = self.queue.retry(key)
            log.warning("%s %s/%s: %s; trying again in %.3g s", self.name, *key, error, delay)
        except Exception:
            delay = self.queue.retry(key)
            log.exception("%s %s/%s failed; trying again in %.3g s", self.name, *key, delay)
        finally:
            self.queue.done(key)
            self._metrics.reconciled(self.name, outcome, time.perf_counter() - started)

    def _reconcile(self, key: Key) -> Result:
        obj = self._read(key)
        if obj is None:
            return self._reconciler.gone(key)
        try:
            return self._reconciler.reconcile(obj)
        except Waiting as waiting:
            self._reconciler.failed(obj, waiting)
            return Result(requeue_after=waiting.retry_after)
        except Stalled as stalled:
            self._reconciler.failed(obj, stalled)
            return DONE
