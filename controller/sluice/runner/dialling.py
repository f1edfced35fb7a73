"""Where a courier looks for its controller, how soon again after a failure, and when it gives up. Pure.

============================ ===========================================================================================
what happened                what follows
============================ ===========================================================================================
no answer, a broken line     again after a pause: 0.2 s, doubled up to 15 s, half of it by chance
closed with 1012             the controller restarts: again within a second, so that not all come at the same time
closed with 1008, 1009       the controller will not have what it was sent, or it is too long: it would be again, so this is
                             the end
401, 404, an answer that     again after a pause, with a token read anew; the end after five minutes of the like
no controller gives          but 421
403, 409                     the end: this pod is not the segment's
410                          the end, a good one: the segment is over, and only the word of it was missed
421 with `Sluice-Leader`     there, at once; only https, with the same certificate authority and server name
421 without                  nobody leads now: again within a second or so
408, 429, 5xx                again after `Retry-After`, at most a minute; after a pause where there is none
============================ ===========================================================================================

Every try but one after a 421 goes to the address that the pod was given: whoever leads, that one knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sluice.runner.endings import Ending, ExitCode

SHORTEST: Final = 0.2
LONGEST: Final = 15.0
"""Seconds of a pause between two tries."""
_FOLLOWED = 3
_RETRY_AFTER = 60.0

_REFUSALS = {
    401: "the controller does not accept this pod's token",
    403: "the controller says that this segment is not this pod's",
    404: "the controller does not know this segment",
    409: "the controller has given this segment to another pod or epoch",
    410: "the segment is over",
    421: "no controller leads at the moment",
    429: "the controller has too much to do at the moment",
    503: "the controller is not ready",
}


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nobody answered, or not in the way of a controller."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Refused:
    """An HTTP answer instead of the upgrade; ``leader`` and ``retry_after`` are headers of it, empty if absent."""

    status: int
    leader: str = ""
    retry_after: str = ""

    def __str__(self) -> str:
        if self.leader and self.status == 421:
            return f"the controller that leads is at {self.leader}"
        return f"{_REFUSALS.get(self.status, 'what answers is no controller of Sluice')} (HTTP {self.status})"


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection was there, and is no more. ``code`` is the close code, 1006 where there was none."""

    code: int
    why: str

    def __str__(self) -> str:
        return f"the connection ended: {self.why or 'without a reason'} ({self.code})"


Failure = Unreached | Refused | Lost


@dataclass(frozen=True, slots=True)
class Try:
    """Try this address, so many seconds from now."""

    url: str
    after: float


class Dialling:
    """``home`` is the address that the pod was given, ``patience`` for how many seconds nothing but 401, 404 or the like is
    borne. ``chance`` gives numbers from 0 to 1."""

    def __init__(self, home: str, *, patience: float, chance: Callable[[], float] = random.random) -> None:
        self._home = home
        self._patience = patience
        self._chance = chance
        self._failures = 0
        self._followed = 0
        self._refused_since: dict[int, float] = {}

    def heard(self) -> None:
        """The controller said something over a connection: what went wrong before is of no interest any more."""
        self._failures = self._followed = 0
        self._refused_since.clear()

    def failed(self, failure: Failure, now: float) -> Try | Ending:
        """What to do after this; ``now`` in seconds of the monotonic clock."""
        if isinstance(failure, Refused):
            return self._refused(failure, now)
        self._refused_since.clear()
        match failure:
            case Lost(code=1008 | 1009):
                return Ending(ExitCode.REFUSED, str(failure))
            case Lost(code=1012):
                return self._again(self._chance())
        return self._again(self._pause())

    def _refused(self, refused: Refused, now: float) -> Try | Ending:
        status = refused.status
        if status in (403, 409):
            return Ending(ExitCode.REFUSED, str(refused))
        if status == 410:
            return Ending(ExitCode.OVER, str(refused))
        if status == 421:
            return self._follow(refused.leader)
        if status in (408, 429) or status >= 500:
            self._refused_since.clear()
            return self._again(self._retry_after(refused.retry_after))
        since = self._refused_since.setdefault(status, now)
        if now - since >= self._patience:
            return Ending(ExitCode.REFUSED, f"{refused}, for {now - since:.0f} s")
        return self._again(self._pause())

    def _follow(self, leader: str) -> Try:
        """To the leader, a few times in a row; two that name each other are visited no faster than others."""
        self._followed += 1
        if not is_address(leader):
            return self._again(0.5 + self._chance())
        if self._followed <= _FOLLOWED:
            return Try(leader, 0.0)
        return Try(leader, self._pause())

    def _again(self, after: float) -> Try:
        return Try(self._home, after)

    def _pause(self) -> float:
        longest = min(LONGEST, SHORTEST * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return longest * (0.5 + 0.5 * self._chance())

    def _retry_after(self, text: str) -> float:
        """What the header says, and a little by chance; as after any failure where it says nothing that is a number."""
        if not (text.isascii() and text.isdigit()):
            return self._pause()
        return min(_RETRY_AFTER, float(text)) + self._chance()


def is_address(url: str) -> bool:
    """Whether this is ``https://host[:port]`` and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme == "https" and bool(parts.hostname) and bare and port != 0
