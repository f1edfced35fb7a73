"""Programs that run for as long as their starter does, each with a log of its own; stopped by their ids only."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

START_S = 180
"""How long a program may take to be ready, on a very busy machine; one that ends is noticed at once."""
GRACE_S = 10
"""How long a program may take to end after it was asked to."""
LOG_SHOWN = 2000
DIE_WITH_STARTER = ("setpriv", "--pdeathsig", "KILL", "--")
"""Of util-linux; the kernel keeps the wish through the ``exec`` that follows. The starter is a thread, not a process:
what a test's short-lived thread starts ends with that thread."""


class ProcessError(Exception):
    """A program ended, or was not ready in time; the message holds the end of its log."""


class Process:
    """One program, which can be ended in every way and started again as it was; ``ready`` tells when it can be used.

    If its starter dies without stopping it, the kernel kills it. The log is kept over all its lives.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        name: str = "",
        ready: Callable[[], bool] = lambda: True,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name or Path(command[0]).name
        self.log = folder / f"{self.name}.log"
        self._command = [*DIE_WITH_STARTER, *(str(word) for word in command)]
        self._folder = folder
        self._ready = ready
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its id; ProcessError if it was never started."""
        return self._started().pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def ended_with(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None if it runs or was never started."""
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """Start it and wait until it is ready; ProcessError if it isn't in time, or ends. Does nothing if it runs."""
        if self.is_running:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # a Ctrl-C is for the tests, which then stop it
            )
        deadline = time.monotonic() + START_S
        while not self._ready():  # again and again, for want of anything that would tell
            self.check()
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready after {START_S} s")
            time.sleep(0.05)

    def check(self) -> None:
        """ProcessError if it has ended."""
        ended = self._started().poll()
        if ended is not None:
            raise self.failure(f"ended with {ended}")

    def failure(self, what: str) -> ProcessError:
        """What to raise about it."""
        return ProcessError(f"{self.name} {what}:\n{self.log.read_text(errors='replace')[-LOG_SHOWN:]}")

    def stop(self) -> None:
        """End it as an administrator does, and wait until it has ended. Does nothing if it does not run."""
        if not self.is_running:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            self._started().wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def ask(self) -> None:
        """Ask it to end, and don't wait for it."""
        if self.is_running:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        if self.is_running:
            self._signal(signal.SIGKILL)
            self._started().wait()

    def pause(self) -> None:
        """Let it hang: its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        self._started().send_signal(number)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ProcessError(f"{self.name} was not started")
        return self._process


def free_port(address: str = "127.0.0.1") -> int:
    """A port of that address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether it says that it is well. Its certificate is only just being made, so nothing is trusted, and nothing sent."""
    context = ssl._create_unverified_context() if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
