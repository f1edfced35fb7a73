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


def environment(url: str, vouched: Vouched, folder: Path) -> dict[str, str]:
    """What a pod is given."""
    scratch, token = folder / "scratch", folder / "token"
    scratch.mkdir(exist_ok=True)
    token.write_text("a-token\n")
    return {
        "PATH": os.environ["PATH"], "SLUICE_URL": url, "SLUICE_SERVER_NAME": NAME, "SLUICE_CA": vouched.authority,
        "SLUICE_RUN": "r", "SLUICE_UNIT": "main", "SLUICE_EPOCH": "1", "SLUICE_TOKEN_FILE": str(token),
        "SLUICE_SCRATCH": str(scratch), "HOME": str(scratch), "TMPDIR": str(scratch),
    }  # fmt: skip


@contextmanager
def pod(variables: dict[str, str], folder: Path, *, times: str = "", before: str = "") -> Iterator[Pod]:
    """Start one; ``times`` are arguments of `Times`, for less patience than a real one has, ``before`` is Python."""
    program = ["-m", "sluice.runner.pod"]
    if times or before:
        load = "import sys; from sluice.runner.pod import main; from sluice.runner.times import Times"
        program = ["-c", f"{load}; {before or 'pass'}; sys.exit(main(Times({times})))"]
    with process([sys.executable, *program], variables, folder) as started:
        yield started


@contextmanager
def process(command: list[str], variables: dict[str, str], folder: Path) -> Iterator[Pod]:
    """The same for any command."""
    printed_to = folder / "printed"
    with printed_to.open("wb") as file:
        started = subprocess.Popen(command, env=variables, stdout=file, stderr=file)
    try:
        yield Pod(started, printed_to)
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()
