"""The controller's handle on the zygote process: start it, ask it for runners, hear how they ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from sluice.runner.worker import PROXY_VARIABLES
from sluice.runner.zygote import ENDED, REPORT, REQUEST

_INHERITED: Final = (
    "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", *PROXY_VARIABLES
)  # fmt: skip
"""What the zygote gets of the environment: nothing that could be a secret of the controller, for steps run below it."""


@dataclass(frozen=True, slots=True)
class Report:
    """A runner was started (``value`` is its pid) or has ended (``value`` is its wait status)."""

    ended: bool
    runner: int
    value: int


class ZygoteGone(Exception):
    """The zygote is dead, and with it all of its runners."""


class ZygoteProcess:
    """A running zygote. Requests come from any thread, one at a time; reports are read by one thread."""

    def __init__(self) -> None:
        self._sock, theirs = socket.socketpair()
        with theirs:
            environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sluice.runner.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
            )
        self._rest = b""

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def fileno(self) -> int:
        """The descriptor to wait at for reports."""
        return self._sock.fileno()

    def fork_runner(self, number: int, link: socket.socket) -> None:
        """Ask for a runner with this end of its link; raises ZygoteGone."""
        try:
            socket.send_fds(self._sock, [REQUEST.pack(number)], [link.fileno()])
        except OSError as error:
            raise ZygoteGone(str(error)) from error

    def kill_runner(self, number: int) -> None:
        """Have a runner killed; one that is dead, with its zygote or before, stays so."""
        with contextlib.suppress(OSError):
            self._sock.send(REQUEST.pack(number))

    def reports(self) -> list[Report]:
        """What has been reported; waits for at least one byte. Raises ZygoteGone at the end."""
        try:
            data = self._sock.recv(4096)
        except OSError as error:
            raise ZygoteGone(str(error)) from error
        if not data:
            raise ZygoteGone("its stream ended")
        self._rest += data
        whole = len(self._rest) // REPORT.size * REPORT.size
        complete, self._rest = self._rest[:whole], self._rest[whole:]
        return [Report(what == ENDED, runner, value) for what, runner, value in REPORT.iter_unpack(complete)]

    def hang_up(self) -> None:
        """Say that nobody is there any more: the zygote ends all runners, then itself."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def bury(self, timeout: float | None = None) -> None:
        """Wait until it is dead (it is killed after ``timeout`` seconds) and let go of the socket."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._sock.close()
