"""How fast one process may ask: a bucket of tokens, as Kubernetes' own clients have."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """At most ``qps`` requests a second in the long run, ``burst`` of them at once. Any thread may use it."""

    def __init__(self, qps: float, burst: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        if qps <= 0 or burst < 1:
            raise ValueError(f"qps must be above 0 and burst at least 1, not {qps} and {burst}")
        self._qps = qps
        self._burst = burst
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._filled = monotonic()

    def reserve(self) -> float:
        """Take a place; answers with the seconds to wait for it. Places are handed out in order, so nobody starves."""
        with self._lock:
            now = self._monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._qps) - 1
            self._filled = now
            return max(0.0, -self._tokens / self._qps)
