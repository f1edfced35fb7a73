"""Work that is done now and then, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Periodic:
    """Calls ``work`` every so many seconds from ``start`` to ``close``. What it raises is logged, and it is called again."""

    def __init__(
        self, name: str, work: Callable[[], None], every_s: float, *, at_once: bool = False, rest_s: float = 0.0
    ) -> None:
        """``at_once``: the first call does not wait. ``rest_s`` is kept after each call, however often it is woken."""
        self._work = work
        self._every_s = every_s
        self._rest_s = rest_s
        self._woken = threading.Event()
        self._closed = threading.Event()
        if at_once:
            self._woken.set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_closed(self) -> bool:
        """Whether work that takes long should stop where it is."""
        return self._closed.is_set()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def wake(self) -> None:
        """Have it done now, or again right after what is being done. Before ``start`` it is done at the start."""
        self._woken.set()

    def close(self) -> None:
        """Do it no more; what is being done is waited for. Safe to call twice, and without a start."""
        self._closed.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._woken.wait(self._every_s)
            if self._closed.is_set():
                return
            self._woken.clear()
            try:
                self._work()
            except Exception:
                log.exception("%s failed; trying again in %.0f s", self._thread.name, self._every_s)
            self._closed.wait(self._rest_s)
