"""``python -m sluice.runner.pod``: the one program of a runner pod, its first process.

It forks the Runner, which runs the steps of one segment as it does on a machine of one's own, and is then the courier
between it and the controller (`courier`). Its arguments are described by `settings`, its exit status by `endings`; what
it prints, by `journal`. Needs no right and no writable folder but its scratch.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import ModuleType
from typing import Final

from sluice.runner.endings import Ending, ExitCode
from sluice.runner.forked import RunnerProcess, fork_runner
from sluice.runner.sandbox import adopt_orphans, renounce_privileges
from sluice.runner.settings import BadArgument, Settings, read_settings
from sluice.runner.times import USUAL, Times

LAST_MESSAGE: Final = "/dev/termination-log"
"""Where a container leaves word of why it ended; Kubernetes shows it in the pod's status."""


def main(times: Times = USUAL) -> int:
    """Run the segment of this pod; the exit status."""
    try:
        settings = read_settings(sys.argv[1:])
    except BadArgument as error:
        return _ended(Ending(ExitCode.BAD_ARGUMENT, str(error)))
    adopt_orphans()
    renounce_privileges()
    woken = _wake_on_signals()
    runner = fork_runner()
    try:
        return _ended(_carry(settings, runner, woken, times))
    finally:
        runner.kill()


def _carry(settings: Settings, runner: RunnerProcess, woken: socket.socket, times: Times) -> Ending:
    """Be the courier. All that it takes is loaded here, beside the Runner that loads what it needs itself."""
    _spare_metadata()
    from sluice.runner.courier import Courier  # noqa: PLC0415
    from sluice.runner.journal import Journal  # noqa: PLC0415

    try:
        courier = Courier(settings, runner, woken, times=times, journal=Journal())
    except ValueError as error:
        return Ending(ExitCode.BAD_ARGUMENT, f"--ca: {error}")
    return courier.run()


def _spare_metadata() -> None:
    """Save 15 ms and 2.5 MB: to look up its own version, which it knows, ``websockets`` loads all that reads package
    metadata and e-mail headers. The version would go into a header that no courier sends."""
    version = ModuleType("websockets.version")
    version.__dict__.update(tag="", version="", commit="")
    sys.modules.setdefault(version.__name__, version)


def _wake_on_signals() -> socket.socket:
    """From now on signals are numbers that can be read from this socket."""
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return woken


def _ended(ending: Ending) -> int:
    """Say why, to whoever reads the log and to Kubernetes."""
    from sluice.runner.journal import Journal  # noqa: PLC0415

    Journal().say(ending.message)
    if ending.code != ExitCode.OVER:
        _leave_word(ending.message)
    return int(ending.code)


def _leave_word(message: str) -> None:
    try:
        with open(os.open(LAST_MESSAGE, os.O_WRONLY), "w", encoding="utf-8") as file:
            file.write(message)
    except OSError:
        return


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
