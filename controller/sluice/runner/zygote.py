"""The zygote: a warm, single-threaded process that forks runners on request, so that starting one costs a millisecond.

``python -m sluice.runner.zygote FD`` reads requests from the stream socket ``FD``: eight bytes, the runner's number,
with the runner's end of its link beside them (SCM_RIGHTS); without that, the runner is to be killed. It answers with
`REPORT`: what happened, the number, and the pid or the wait status. When the stream ends the controller is gone: all
runners are killed, and so is whatever they left behind. (The end of the stream says it, not the death of the parent:
that signal follows the thread that started a process, and threads come and go.)
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

from sluice.domain.expressions import Scope, compile_expression
from sluice.runner.main import serve
from sluice.runner.sandbox import adopt_orphans, close_descriptors, die_with_parent, renounce_privileges, warm_up
from sluice.steps.namespace import load_modules

REQUEST: Final = struct.Struct(">Q")
REPORT: Final = struct.Struct(">BQi")
STARTED, ENDED = 1, 2


class Zygote:
    """Forks runners and reaps them."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._runners: dict[int, int] = {}
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)

    def run(self) -> None:
        """Serve until the controller is gone and every descendant is dead."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._round(selector):
                pass
        signal.set_wakeup_fd(-1)
        self._bury_all()

    def _round(self, selector: selectors.BaseSelector) -> bool:
        for key, _ in selector.select():
            if key.fileobj is self._woken:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
                self._reap()
            elif not self._read():
                return False
        return True

    def _read(self) -> bool:
        """One request; False at the end of the stream."""
        data, descriptors, _, _ = socket.recv_fds(self._sock, REQUEST.size, 1)
        if not data:
            return False
        (number,) = REQUEST.unpack(data)
        if not descriptors:
            self._kill(number)
            return True
        with socket.socket(fileno=descriptors[0]) as link:
            pid = self._fork(link)
        self._runners[pid] = number
        return self._report(STARTED, number, pid)

    def _fork(self, link: socket.socket) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become_runner(parent, link)
        return pid

    def _kill(self, number: int) -> None:
        """End a runner that can't be talked to. Only its parent knows for sure whose pid that is."""
        for pid, runner in self._runners.items():
            if runner == number:
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Bury who died. Orphans that were adopted are nobody's business."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._runners.pop(pid, None)
            if number is not None:
                self._report(ENDED, number, status)

    def _report(self, what: int, number: int, value: int) -> bool:
        try:
            self._sock.sendall(REPORT.pack(what, number, value))
        except OSError:
            return False
        return True

    def _bury_all(self) -> None:
        while True:
            for pid in {*self._runners, *_children()}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._runners.pop(pid, None)


def _children() -> list[int]:
    """Living and dead children of this process, adopted ones too, where the system tells."""
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(pid) for pid in listing.read_text("ascii").split()]
    except OSError:
        return []


def _become_runner(parent: int, link: socket.socket) -> NoReturn:
    """The child's side of the fork; never returns."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        die_with_parent(parent)
        close_descriptors(keep=link.fileno())
        serve(link)
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(1)


def main() -> None:
    """Warm up, then serve."""
    os.setsid()
    adopt_orphans()
    renounce_privileges()
    warm_up()
    load_modules()
    import_module("sluice.steps.http")
    compile_expression("payload.a == 1", Scope())
    gc.collect()
    gc.freeze()
    Zygote(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
