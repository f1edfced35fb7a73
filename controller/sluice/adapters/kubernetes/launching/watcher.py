"""Follows the pods of runners on one cluster: why they can't begin, and that they are gone."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Final

from sluice.adapters.kubernetes.launching.workloads import Workloads
from sluice.ports.errors import Gone, PortError
from sluice.ports.store import Obj, Watch

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 15.0

Seen = Callable[[Obj, bool], None]
"""Told of a pod's state; the second argument says that it is gone."""

log = logging.getLogger(__name__)


class PodWatcher:
    """One thread over one watch. After a gap it begins with what is there; ``missed`` is told of its completeness then.

    ``missed`` gets the names (namespace, name) of all pods there are: a seat whose pod is not among them has lost it.
    """

    def __init__(self, workloads: Workloads, seen: Seen, missed: Callable[[set[tuple[str, str]]], None]) -> None:
        self._workloads = workloads
        self._seen = seen
        self._missed = missed
        self.begun = 0
        """How often the watch had to begin anew, the first time included."""
        self._closed = threading.Event()
        self._synced = threading.Event()
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._follow, name="pods", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wait_until_synced(self, timeout: float | None = None) -> bool:
        """Wait until all pods that were there at the start have been told of."""
        return self._synced.wait(timeout) and not self._closed.is_set()

    def close(self) -> None:
        """End it. Safe to call twice."""
        self._closed.set()
        self._synced.set()
        with self._lock:
            if self._watch is not None:
                self._watch.close()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        failed = 0
        while not self._closed.is_set():
            try:
                failed = 0 if self._read() else failed + 1
            except Gone:
                failed = 0
            except PortError as error:
                failed += 1
                log.warning("the watch of pods ended: %s; beginning again", error)
            except Exception:
                failed += 1
                log.exception("the watch of pods failed; beginning again")
            pause = min(FIRST_PAUSE_S * 2 ** max(failed - 1, 0), LONGEST_PAUSE_S)
            self._closed.wait(pause * random.uniform(0.5, 1))

    def _read(self) -> bool:
        """One watch from its beginning; whether anything was heard."""
        there: set[tuple[str, str]] = set()
        beginning, heard = True, False
        for event in self._open():
            heard = True
            if event.type != "BOOKMARK":
                metadata = event.object["metadata"]
                if beginning:
                    there.add((metadata["namespace"], metadata["name"]))
                self._seen(event.object, event.type == "DELETED")
            elif beginning:
                beginning = False
                self._missed(there)
                self._synced.set()
        return heard

    def _open(self) -> Watch:
        self.begun += 1
        watch = self._workloads.watch_pods()
        with self._lock:
            self._watch = watch
            if self._closed.is_set():
                watch.close()
        return watch
