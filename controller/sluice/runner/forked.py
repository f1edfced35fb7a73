"""The Runner as its pod sees it: forked before there is anything to inherit, and the channel to it.

The parent forks while it has loaded little, so that either process loads only what it needs itself, both at the same
time: what decides and runs steps here, TLS and WebSocket there.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback
from typing import Final, NoReturn

from sluice.runner.process import describe_end
from sluice.runner.protocol import Channel, Closed, Message
from sluice.runner.sandbox import close_descriptors, die_with_parent, warm_up

_LEASE_IS_OVER: Final = 4


class RunnerProcess:
    """The forked process. ``status`` is its wait status, None while it lives."""

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid = pid
        self.status: int | None = None
        self.hung_up = False
        self._channel = Channel(sock)

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self._channel.fileno()

    @property
    def gone(self) -> bool:
        """Whether it is dead and all it said was heard."""
        return self.hung_up and self.status is not None

    @property
    def lease_is_over(self) -> bool:
        """Whether it ended because the controller was silent."""
        return self.status is not None and os.waitstatus_to_exitcode(self.status) == _LEASE_IS_OVER

    @property
    def pending(self) -> bool:
        """Whether something waits to be sent to it."""
        return self._channel.pending and not self.hung_up

    def tell(self, body: bytes) -> None:
        """Queue an encoded message for it; to a dead one: nothing."""
        if not self.hung_up:
            self._channel.put_encoded(body)

    def flush(self) -> None:
        """Send what the socket takes. If it is gone, the end of its stream will tell."""
        try:
            if not self.hung_up:
                self._channel.flush()
        except Closed:
            return

    def receive(self) -> list[Message]:
        """What it said; raises Closed and ProtocolError."""
        return self._channel.receive()

    def hang_up(self, *, kill: bool) -> None:
        """Nothing more is expected of it; ``kill`` where it has not ended by itself."""
        self.hung_up = True
        self._channel.close()
        if kill:
            self.kill()

    def reap(self) -> None:
        """Bury all dead children: as the first process of a container one has orphans that nobody else buries."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status

    def kill(self) -> None:
        """End it, whatever it does; its workers die with it."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)

    def describe_end(self) -> str:
        """How it ended, in words."""
        return describe_end(self.status) if self.status is not None else "stopped talking"


def fork_runner() -> RunnerProcess:
    """Start it. For a process with one thread that has opened nothing yet that would have to stay its own."""
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_runner(parent, theirs)
    theirs.close()
    return RunnerProcess(pid, ours)


def _become_runner(parent: int, link: socket.socket) -> NoReturn:
    """The child's side of the fork; never returns."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        die_with_parent(parent)
        close_descriptors(keep=link.fileno())
        os._exit(_serve(link))
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(1)


def _serve(link: socket.socket) -> int:
    """Load what workers would otherwise load one by one, and be the Runner; the exit status."""
    from sluice.runner.main import Runner  # noqa: PLC0415 - the parent does without
    from sluice.steps.namespace import load_modules  # noqa: PLC0415

    warm_up()
    load_modules()
    gc.collect()
    gc.freeze()
    runner = Runner(link)
    runner.run()
    return _LEASE_IS_OVER if runner.lease_is_over else 0
