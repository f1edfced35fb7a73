"""A runner pod as a process of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.runner.authority import NAME, Vouched

PATIENCE = 60


@dataclass
class Pod:
    """The process, and where it prints to."""

    process: subprocess.Popen[bytes]
    printed_to: Path

    @property
    def printed(self) -> str:
        return self.printed_to.read_text()

    def wait(self) -> int:
        """Its exit status."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the pod goes on and on:\n{self.printed}") from None


def arguments(url: str, vouched: Vouched, folder: Path) -> dict[str, str]:
    """What a pod is told, by name."""
    scratch, token = folder / "scratch", folder / "token"
    scratch.mkdir(exist_ok=True)
    token.write_text("a-token\n")
    return {
        "url": url, "server-name": NAME, "ca": vouched.authority, "run": "r", "unit": "main", "epoch": "1",
        "token-file": str(token), "scratch": str(scratch),
    }  # fmt: skip


def words(told: dict[str, str]) -> list[str]:
    """As they stand in a command."""
    return [f"--{name}={value}" for name, value in told.items()]


@contextmanager
def pod(told: dict[str, str], folder: Path, *, times: str = "", before: str = "") -> Iterator[Pod]:
    """Start one; ``times`` are arguments of `Times`, for less patience than a real one has, ``before`` is Python."""
    program = ["-m", "sluice.runner.pod"]
    if times or before:
        load = "import sys; from sluice.runner.pod import main; from sluice.runner.times import Times"
        program = ["-c", f"{load}; {before or 'pass'}; sys.exit(main(Times({times})))"]
    with process([sys.executable, *program, *words(told)], folder) as started:
        yield started


@contextmanager
def process(command: list[str], folder: Path) -> Iterator[Pod]:
    """The same for any command, with the variables that a container has."""
    printed_to = folder / "printed"
    with printed_to.open("wb") as file:
        started = subprocess.Popen(command, env={"PATH": os.environ["PATH"], "HOME": "/"}, stdout=file, stderr=file)
    try:
        yield Pod(started, printed_to)
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()
