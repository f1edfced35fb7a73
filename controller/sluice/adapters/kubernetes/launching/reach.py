"""Whether another cluster answers, so that nobody waits in vain for one that does not.

The threads that work on runs are few, and work on those of all clusters. Without this, each of them would soon wait for
the one that is away.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import urllib3

from sluice.adapters.kubernetes.credentials import Credentials
from sluice.adapters.kubernetes.transport import Limits, Transport, _Request
from sluice.ports.errors import Unavailable

LIMITS: Final = Limits(qps=100.0, burst=200, connect_s=3.0, answer_s=10.0, attempts=2, longest_pause_s=1.0)
AT_ONCE: Final = 6
"""Requests at a time; fewer than there are workers, so that some are left for runs on other clusters."""
SLOW_S: Final = 2.0
"""For how long one that would be one too many waits for its turn."""
SHORTEST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 15.0
"""While it is away one request is let through now and then, and all others fail at once: after three times as long as the
last one took, within these bounds."""


class Reach:
    """What is known of whether a server answers. Any thread may use it."""

    def __init__(
        self,
        *,
        at_once: int = AT_ONCE,
        monotonic: Callable[[], float] = time.monotonic,
        back: Callable[[], None] = lambda: None,
    ) -> None:
        """``back`` is called when the server answers for the first time after it did not; it must be quick."""
        self._at_once = at_once
        self._monotonic = monotonic
        self._back = back
        self._turns = threading.Condition()
        self._asking = 0
        self._said = ""
        self._answered = -math.inf
        self._next = 0.0

    @property
    def is_away(self) -> bool:
        """Whether the last request got no answer."""
        return bool(self._said)

    @contextmanager
    def turn(self, *, patient: bool = False) -> Iterator[None]:
        """Ask within the block. Unavailable at once where that would be in vain; what is raised inside is noted.

        ``patient``: whoever asks has a thread of its own to wait on, and is always let through.
        """
        if not patient:
            self._enter()
        began = self._monotonic()
        try:
            yield
        except Unavailable as error:
            self._failed(str(error), began)
            raise
        else:
            self._answers()
        finally:
            if not patient:
                self._leave()

    def _enter(self) -> None:
        with self._turns:
            self._require_hope()
            if self._asking >= self._at_once:
                self._turns.wait_for(lambda: self._asking < self._at_once, SLOW_S)
                self._require_hope()
            if self._asking >= self._at_once:
                raise Unavailable("it has not answered what was asked so far; nothing was written")
            self._asking += 1

    def _require_hope(self) -> None:
        """Away, only the first one to come after the pause may try."""
        if not self._said:
            return
        now = self._monotonic()
        if now < self._next:
            raise Unavailable(self._said)
        self._next = now + LONGEST_PAUSE_S

    def _leave(self) -> None:
        with self._turns:
            self._asking -= 1
            self._turns.notify()

    def _failed(self, why: str, began: float) -> None:
        """Of what was asked before the last answer this says nothing new: it was away then."""
        with self._turns:
            now = self._monotonic()
            if began >= self._answered:
                self._said = why
                self._next = now + min(max(SHORTEST_PAUSE_S, 3 * (now - began)), LONGEST_PAUSE_S)
            self._turns.notify_all()

    def _answers(self) -> None:
        with self._turns:
            was_away, self._said = self.is_away, ""
            self._answered = self._monotonic()
            self._turns.notify_all()
        if was_away:
            self._back()


class FarTransport(Transport):
    """A connection to another cluster, which fails at once while that is away."""

    def __init__(
        self,
        credentials: Credentials,
        limits: Limits = LIMITS,
        *,
        may_write: Callable[[], bool] | None = None,
        reach: Reach | None = None,
    ) -> None:
        super().__init__(credentials, limits, may_write=may_write)
        self.reach = reach or Reach()

    def _once(self, request: _Request) -> urllib3.BaseHTTPResponse:
        with self.reach.turn(patient=request.silence_s > 0):
            return super()._once(request)
