"""One worker process as its runner sees it: forked, given tasks, killed, buried."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from sluice.runner.protocol import Channel, Closed, Message
from sluice.runner.sandbox import close_descriptors, die_with_parent, silence_streams

MAX_ANSWER = 8 * 1024 * 1024
"""An answer holds an output, context and a log: 1 MiB, some more, 64 KiB. Beyond this the worker misbehaves."""

Serve = Callable[[socket.socket], NoReturn]


class WorkerProcess:
    """A forked worker and the channel to it. Not for several threads: the runner has only one."""

    def __init__(self, serve: Serve) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become_worker(parent, theirs, serve)
        theirs.close()
        self.channel = Channel(ours, limit=MAX_ANSWER)
        self.digests: set[str] = set()
        self.tasks: set[int] = set()
        self.idle_since = time.monotonic()
        self.watched = selectors.EVENT_READ
        self._buried = False

    def give(self, number: int, message: Message) -> None:
        """Send a task; if the worker is gone, the end of its stream will tell."""
        self.tasks.add(number)
        self.channel.put(message)
        self.flush()

    def flush(self) -> None:
        """Send what could not be sent yet."""
        try:
            self.channel.flush()
        except Closed:
            return

    def kill(self) -> None:
        """End it now; it can't refuse."""
        if not self._buried:
            os.kill(self.pid, signal.SIGKILL)
        self.channel.close()

    def bury(self, *, wait: bool) -> int | None:
        """The wait status once it is dead, None before (or, with ``wait``, when it is)."""
        found, status = os.waitpid(self.pid, 0 if wait else os.WNOHANG)
        if found == 0:
            return None
        self._buried = True
        return status


def describe_end(status: int) -> str:
    """How a process ended, from its wait status, in words."""
    if os.WIFSIGNALED(status):
        return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended itself with exit status {os.WEXITSTATUS(status)}"


def was_killed(status: int) -> bool:
    """Whether it was SIGKILL, which the kernel sends when memory is short."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _become_worker(parent: int, sock: socket.socket, serve: Serve) -> NoReturn:
    """The child's side of the fork: whatever happens, it never returns into the runner's code."""
    try:
        die_with_parent(parent)
        close_descriptors(keep=sock.fileno())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        silence_streams()
        sock.setblocking(True)
        serve(sock)
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    finally:
        os._exit(0)
