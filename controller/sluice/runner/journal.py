"""What a run's pod prints: what became known of its steps, for ``kubectl logs``.

::

    2026-01-31T08:00:00.000000Z sluice: connected to https://10.0.0.7:8443
    2026-01-31T08:00:01.000000Z fetch started, attempt 1
    fetch| 12 orders since yesterday
    2026-01-31T08:00:03.250000Z fetch Failed after 2.250s, attempt 1: CodeFailed: ValueError: no such customer (line 3); again at 2026-01-31T08:00:08.250000Z
    2026-01-31T08:00:09.000000Z sluice: the run ended: Succeeded

A line that a step printed begins with the step's name and ``| ``; all others begin with a time, and then the step's name,
or ``sluice:`` where it is about the run or the pod. So no step can print a line that looks like another's. What a step
printed is told when its attempt is over, and a start with whatever is recorded next.
"""  # noqa: E501 - lines as they are

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from sluice.domain.run.events import CANCEL_REQUESTED, RUN_ENDED, STEP_ENDED, STEP_STARTED, Event
from sluice.domain.timestamps import fine_stamp, from_micros

_MAX_MESSAGE: Final = 1000
_UNPRINTABLE: Final = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


def print_lines(lines: str) -> None:
    """To standard output, at once. Where nobody can read that, the run goes on without."""
    with contextlib.suppress(OSError):
        sys.stdout.buffer.write(lines.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


class Journal:
    """Tells people. ``write`` takes whole lines; ``now`` gives microseconds, UTC."""

    def __init__(
        self, write: Callable[[str], None] = print_lines, *, now: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._write = write
        self._now = now
        self._told: set[str] = set()

    def say(self, text: str) -> None:
        """A line about the pod itself."""
        self._write(f"{_stamp(self._now())} sluice: {_one_line(text)}\n")

    def say_once(self, text: str) -> None:
        """The same, unless it was said since the last `calm`: what is tried again and again fails for the same reason."""
        if text not in self._told:
            self._told.add(text)
            self.say(text)

    def calm(self) -> None:
        """All is well, so that the next trouble is news."""
        self._told.clear()

    def record(self, events: list[Any]) -> None:
        """What happened in the run."""
        self._write("".join(f"{line}\n" for event in events for line in lines_of(Event(*event))))


def lines_of(event: Event) -> Iterator[str]:
    """The lines of one event; none for an unknown kind."""
    body, at = event.body, _stamp(event.at)
    match event.kind:
        case kind if kind == STEP_STARTED:
            yield f"{at} {event.step} started, attempt {event.attempt}"
        case kind if kind == STEP_ENDED:
            for line in str(body.get("log") or "").rstrip("\n").split("\n"):
                if line or body.get("log"):
                    yield f"{event.step}| {line.translate(_UNPRINTABLE)}"
            yield f"{at} {event.step} {_ended(event)}"
        case kind if kind == CANCEL_REQUESTED:
            yield f"{at} sluice: the run is to end: {_because(body)}"
        case kind if kind == RUN_ENDED:
            yield f"{at} sluice: the run ended: {body.get('phase')}, {_because(body)}"


def _ended(event: Event) -> str:
    body, text = event.body, str(event.body.get("phase"))
    if event.attempt:
        started = int(body.get("started") or 0)
        text += f" after {max(0, event.at - started) / 1e6:.3f}s" if started else ""
        text += f", attempt {event.attempt}"
    text += f": {_because(body)}"
    if body.get("retryAt"):
        text += f"; again at {_stamp(int(body['retryAt']))}"
    return text


def _because(body: dict[str, Any]) -> str:
    message = _one_line(str(body.get("message") or ""))[:_MAX_MESSAGE]
    return f"{body.get('reason')}: {message}" if message else f"{body.get('reason')}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).translate(_UNPRINTABLE)


def _stamp(micros: int) -> str:
    return fine_stamp(from_micros(micros))
