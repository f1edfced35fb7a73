"""Programs that run for as long as their starter does, each with a log of its own; stopped by their ids only."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

GRACE_S = 10
"""How long a program may take to end after it was asked to."""
LOG_SHOWN = 2000
DIE_WITH_STARTER = ("setpriv", "--pdeathsig", "KILL", "--")
"""Of util-linux; the kernel keeps the wish through the ``exec`` that follows."""


class ProcessError(Exception):
    """A program ended, or was not ready in time; the message holds the end of its log."""


class Process:
    """One program. If its starter dies without stopping it, the kernel kills it."""

    def __init__(self, command: Sequence[str | Path], *, folder: Path, name: str = "") -> None:
        self.name = name or Path(command[0]).name
        self._log = folder / f"{self.name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*DIE_WITH_STARTER, *(str(word) for word in command)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # a Ctrl-C is for the tests, which then stop it
            )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def check(self) -> None:
        """ProcessError if it has ended."""
        if self._process.poll() is not None:
            raise self.failure(f"ended with {self._process.returncode}")

    def failure(self, what: str) -> ProcessError:
        """What to raise about it."""
        return ProcessError(f"{self.name} {what}:\n{self._log.read_text(errors='replace')[-LOG_SHOWN:]}")

    def stop(self) -> None:
        """End it, and wait until it has ended. Safe to call twice."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        self._process.kill()
        self._process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
