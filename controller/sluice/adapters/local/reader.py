"""The launcher's thread: reads all links and the zygote, notices deaths, starts a new zygote when the old one died."""

from __future__ import annotations

import logging
import selectors
import shutil
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from sluice.adapters.local.link import RunnerLink
from sluice.adapters.local.zygote import ZygoteGone, ZygoteProcess
from sluice.runner.protocol import Closed, Message, ProtocolError

_LAST_WORDS: Final = 10.0
_SOUND_AFTER: Final = 5.0

log = logging.getLogger(__name__)


class Reader:
    """One thread over all sockets. ``heard`` and ``ended`` are called on it and must not block.

    A runner that has segments is asked every tenth of the ``lease`` (seconds) whether it is there, and is killed when
    it was silent for all of it.
    """

    def __init__(
        self,
        zygote: ZygoteProcess,
        *,
        lease: float,
        heard: Callable[[RunnerLink, Message], None],
        ended: Callable[[RunnerLink], None],
    ) -> None:
        self.zygote = zygote
        self._lease = lease
        self._heartbeat = lease / 10
        self._heard = heard
        self._ended = ended
        self._links: dict[int, RunnerLink] = {}
        self._todo: deque[Callable[[], object]] = deque()
        self._requests = threading.Lock()
        self._stopping = False
        self._bereft = False
        self._started = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="launcher", daemon=True)

    def start(self) -> None:
        """Start reading."""
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(self.zygote, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """End all processes and the thread, and wait for them."""
        self._post(self._begin_stopping)
        self._thread.join()
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def adopt(self, link: RunnerLink) -> None:
        """Have a runner forked for this link, and listen to it. Where that fails, the link ends like one that died."""
        link.heard = time.monotonic()
        with self._requests:
            if self._bereft:
                self._start_zygote()
            self._links[link.number] = link
            try:
                self.zygote.fork_runner(link.number, link.theirs)
            except ZygoteGone:
                link.orphaned = True
            link.theirs.close()
        self._post(partial(self._listen, link))

    def want_write(self, link: RunnerLink) -> None:
        """Flush this link when its socket takes more."""
        self._post(partial(self._watch, link, selectors.EVENT_READ | selectors.EVENT_WRITE))

    def _post(self, action: Callable[[], object]) -> None:
        """Have something done on the thread."""
        self._todo.append(action)
        try:
            self._waker.send(b"x")
        except BlockingIOError:
            return

    def _run(self) -> None:
        while not (self._stopping and not self._links):
            for key, mask in self._selector.select(self._heartbeat):
                if key.fileobj is self._woken:
                    self._woken.recv(4096)
                elif isinstance(key.fileobj, RunnerLink):
                    self._serve(key.fileobj, mask)
                else:
                    self._read_reports()
            while self._todo:
                self._todo.popleft()()
            self._look_after()
        self.zygote.bury(_LAST_WORDS)

    def _serve(self, link: RunnerLink, mask: int) -> None:
        if mask & selectors.EVENT_WRITE and link.flush():
            self._watch(link, selectors.EVENT_READ)
        if not mask & selectors.EVENT_READ:
            return
        try:
            messages = link.receive()
        except Closed:
            self._unlisten(link)
            return
        except ProtocolError:
            log.exception("runner %s does not make sense and is cut off", link.pid)
            self._cut_off(link)
            return
        link.heard = time.monotonic()
        for message in messages:
            try:
                self._heard(link, message)
            except Exception:
                log.exception("what runner %s said could not be taken in; it is cut off", link.pid)
                self._cut_off(link)
                return

    def _read_reports(self) -> None:
        try:
            reports = self.zygote.reports()
        except ZygoteGone:
            self._zygote_died()
            return
        for report in reports:
            link = self._links.get(report.runner)
            if link is None:
                continue
            if report.ended:
                link.status = report.value
                self._finish(link)
            else:
                link.pid = report.value

    def _zygote_died(self) -> None:
        """Its runners die with it, and their streams end by themselves. Start another one, unless that one failed at
        once: then the next runner that is asked for is the occasion."""
        with self._requests:
            self._selector.unregister(self.zygote)
            self.zygote.bury(_LAST_WORDS)
            self._bereft = True
            for link in self._links.values():
                link.orphaned = True
            if not self._stopping:
                log.error("the process that forks runners died; their segments are lost")
                if time.monotonic() - self._started > _SOUND_AFTER:
                    self._start_zygote()
        for link in list(self._links.values()):
            self._finish(link)

    def _start_zygote(self) -> None:
        self.zygote = ZygoteProcess()
        self._started = time.monotonic()
        self._bereft = False
        self._post(partial(self._selector.register, self.zygote, selectors.EVENT_READ))

    def _listen(self, link: RunnerLink) -> None:
        if not link.ended:
            self._selector.register(link, selectors.EVENT_READ)

    def _watch(self, link: RunnerLink, events: int) -> None:
        if not link.ended and link.fileno() in self._selector.get_map():
            self._selector.modify(link, events)

    def _cut_off(self, link: RunnerLink) -> None:
        """Have it killed whatever it does: its segments may be given to another only when it is gone."""
        with self._requests:
            self.zygote.kill_runner(link.number)
        self._unlisten(link)

    def _unlisten(self, link: RunnerLink) -> None:
        """Its stream ended, or is ended here."""
        self._selector.unregister(link)
        link.close()
        link.ended = True
        self._finish(link)

    def _finish(self, link: RunnerLink) -> None:
        """Let go of a runner once all it said is read and its process is gone."""
        if not link.ended or (link.status is None and not link.orphaned):
            return
        if self._links.pop(link.number, None) is not None:
            shutil.rmtree(link.scratch, ignore_errors=True)
            self._ended(link)

    def _look_after(self) -> None:
        """Tell runners with work that somebody is there; cut off those that have been silent for the lease."""
        now = time.monotonic()
        if self._stopping:
            return
        for link in list(self._links.values()):
            if not link.segments or link.ended:
                continue
            if now - link.heard > self._lease:
                log.error("runner %s was silent for %g s and is cut off", link.pid, self._lease)
                self._cut_off(link)
            elif now - max(link.heard, link.pinged) > self._heartbeat:
                link.pinged = now
                link.send(["heartbeat"])

    def _begin_stopping(self) -> None:
        self._stopping = True
        if not self._bereft:
            self.zygote.hang_up()
