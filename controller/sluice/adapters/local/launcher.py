"""The Launcher for local processes: runners forked from a zygote, one per version and environment, many segments each.

One thread reads what all runners say and hands appends to the sink; what is sent to a runner is sent by whoever has
something to say. No process outlives the controller: the end of its sockets is the end of the zygote and the runners,
and theirs is that of the workers.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson

from sluice.adapters.local.link import OpenSegment, RunnerLink
from sluice.adapters.local.reader import Reader
from sluice.adapters.local.zygote import ZygoteProcess
from sluice.domain.launching.placement import Placement
from sluice.domain.run.events import Event
from sluice.ports.launcher import Append, Segment, SegmentSink
from sluice.runner.main import LEASE
from sluice.runner.process import describe_end
from sluice.runner.protocol import Message

IDLE: Final = 30.0
"""Seconds after which a runner with nothing to do leaves."""
KEEP: Final = 60.0
"""A wait up to so many seconds (a retry's pause) does not end the segment."""

log = logging.getLogger(__name__)


class LocalLauncher:
    """Runs segments in processes of this machine. Safe for use from several threads.

    ``scratch`` is the folder below which workers have theirs; a temporary one unless given. ``idle``, ``keep`` and
    ``lease`` are seconds: when a runner leaves, how long a wait it sits out, and after how much silence either side
    gives the other up. Make the launcher before
    the first thread of the process: the zygote starts with it.
    """

    remote = False

    def __init__(
        self,
        sink: SegmentSink,
        *,
        scratch: Path | None = None,
        idle: float = IDLE,
        keep: float = KEEP,
        lease: float = LEASE,
    ) -> None:
        self._sink = sink
        self._terms = {"idle": idle, "keep": keep, "lease": lease}
        self._folder = TemporaryDirectory(prefix="sluice-", dir=scratch, ignore_cleanup_errors=True)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._links: dict[tuple[str, bytes], RunnerLink] = {}
        self._open: dict[str, dict[str, OpenSegment]] = {}
        self._closed = False
        self._reader = Reader(ZygoteProcess(), lease=lease, heard=self._heard, ended=self._ended)
        self._reader.start()

    @property
    def zygote_pid(self) -> int:
        """The process that forks the runners; another one after it was lost."""
        return self._reader.zygote.pid

    @property
    def runner_pids(self) -> list[int]:
        """The runners that have reported."""
        with self._lock:
            return [link.pid for link in self._links.values() if link.pid]

    def launch(self, segment: Segment) -> None:
        """Start it in the runner of its trust domain, which is forked if there is none."""
        assignment = _assignment(segment)
        with self._lock:
            if self._closed:
                return
            units = self._open.setdefault(segment.run.uid, {})
            older = units.get(segment.unit)
            if older is not None:
                if older.epoch >= segment.epoch:
                    return
                self._drop(older)
            link, first = self._link_for(segment)
            link.numbers += 1
            opened = OpenSegment(link, link.numbers, segment.run.uid, segment.unit, segment.epoch)
            link.segments[opened.number] = opened
            self._open.setdefault(segment.run.uid, {})[segment.unit] = opened
            link.send(*first, ["assign", opened.number, assignment])

    def prepare(self, placement: Placement) -> None:
        """Processes of this machine need nothing."""

    def adopt(self, segment: Segment) -> bool:  # noqa: ARG002 - the port's
        """Nothing outlives the process that launched it."""
        return False

    def cancel(self, run_uid: str, epoch: int, *, reason: str) -> bool:
        """Pass the wish on to the runner."""
        with self._lock:
            for opened in self._open.get(run_uid, {}).values():
                if opened.epoch == epoch:
                    opened.link.send(["cancel", opened.number, reason])
        return True

    def tell(self, run_uid: str, event: Event) -> None:
        """Pass it on to the runner."""
        with self._lock:
            for opened in self._open.get(run_uid, {}).values():
                opened.link.send(["told", opened.number, list(event)])

    def kill(self, run_uid: str) -> None:
        """Stop all segments of a run, silently."""
        with self._lock:
            for opened in list(self._open.get(run_uid, {}).values()):
                self._drop(opened)

    def clear(self, run_uid: str, places: Sequence[Placement]) -> None:
        """Processes are nowhere but here."""

    def close(self) -> None:
        """Stop everything and wait until no process is left. Safe to repeat."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._open.clear()
        self._reader.stop()
        self._folder.cleanup()

    def _link_for(self, segment: Segment) -> tuple[RunnerLink, list[Message]]:
        """The runner's link, and what it must be told first if it is new."""
        key = (segment.trust, orjson.dumps([segment.level, segment.limits], option=orjson.OPT_SORT_KEYS))
        known = self._links.get(key)
        if known is not None and not (known.ended or known.orphaned):
            return known, []
        number = next(self._numbers)
        link = RunnerLink(number, key, Path(self._folder.name) / str(number), self._reader.want_write)
        self._links[key] = link
        self._reader.adopt(link)
        terms = {
            "level": segment.level,
            "definition": segment.definition,
            "limits": segment.limits,
            "scratch": str(link.scratch),
        }
        return link, [["define", terms | self._terms]]

    def _heard(self, link: RunnerLink, message: Message) -> None:
        """A runner said something. On the reader's thread."""
        match message:
            case ["events", int(number), int(first), list(events), bool(closes)]:
                self._appended(link, number, first, events, closes=closes)
            case ["bye"]:
                self._let_go(link)
            case ["heartbeat"]:
                pass
            case _:
                log.error("runner %s sent an unknown message %r", link.pid, message[0])

    def _appended(self, link: RunnerLink, number: int, first: int, events: list[Any], *, closes: bool) -> None:
        with self._lock:
            opened = link.segments.get(number)
            if opened is None:
                return
            opened.closing = closes
        append = Append(opened.run_uid, opened.unit, opened.epoch, first, tuple(map(Event._make, events)), closes)
        try:
            self._sink.appended(append, partial(self._acknowledged, opened, append))
        except Exception:
            opened.closing = False
            raise

    def _acknowledged(self, opened: OpenSegment, append: Append, accepted: bool | None) -> None:
        if append.closes or not accepted:
            with self._lock:
                self._forget(opened)
        opened.link.send(["ack", opened.number, append.last_seq, bool(accepted)])

    def _let_go(self, link: RunnerLink) -> None:
        """A runner asks to leave; it may, unless it was given something meanwhile."""
        with self._lock:
            if link.segments:
                return
            self._links.pop(link.key, None)
            link.send(["bye"])

    def _ended(self, link: RunnerLink) -> None:
        """A runner is dead and everything that it said has been heard. On the reader's thread."""
        with self._lock:
            if self._links.get(link.key) is link:
                del self._links[link.key]
            lost = [opened for opened in link.segments.values() if not opened.closing]
            for opened in list(link.segments.values()):
                self._forget(opened)
            if self._closed:
                return
        how = describe_end(link.status) if link.status is not None else "died with its parent"
        for opened in lost:
            self._sink.lost(opened.run_uid, opened.unit, opened.epoch, f"the runner process {link.pid} {how}")

    def _drop(self, opened: OpenSegment) -> None:
        self._forget(opened)
        opened.link.send(["drop", opened.number])

    def _forget(self, opened: OpenSegment) -> None:
        opened.link.segments.pop(opened.number, None)
        units = self._open.get(opened.run_uid, {})
        if units.get(opened.unit) is opened:
            del units[opened.unit]
            if not units:
                del self._open[opened.run_uid]


def _assignment(segment: Segment) -> dict[str, Any]:
    """What the runner is told; the definition and the limits it knows already."""
    return {
        "run": segment.run,
        "unit": segment.unit,
        "epoch": segment.epoch,
        "input": segment.input,
        "history": [list(event) for event in segment.history],
        "deadline": segment.deadline,
        "cancel": segment.cancel,
    }
