"""One control plane for all who need it, and nothing left of it when the last one is gone, however it went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.installation import ROOT
from tests.cluster.sharing import GIVEN
from tests.contracts.store.builders import eventually

pytestmark = pytest.mark.cluster

USER = """\
import sys
from tests.cluster.sharing import shared
with shared(sys.argv[1]) as plane:
    print(plane.kubeconfig, flush=True)
    sys.stdin.read()
"""


class Guest:
    """A process that needs a control plane until its standard input ends."""

    def __init__(self, run: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != GIVEN}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, run], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True
        )

    def kubeconfig(self) -> str:
        """Where it says its control plane is, once that is ready."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """Let it go."""
        self.process.communicate()


@pytest.fixture
def run() -> Iterator[str]:
    name = f"sharing-{uuid.uuid4().hex[:8]}"
    yield name
    eventually(lambda: not left_of(name), "processes and files of the control plane are gone")


def left_of(run: str) -> list[str]:
    """The folder of a run's control plane, and the commands that name it."""
    folder = Path(tempfile.gettempdir()) / f"sluice-cluster-{run}"
    found = [str(folder)] if folder.exists() else []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it ended meanwhile
            if str(folder).encode() in command:
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_two_processes_share_one_and_the_last_one_ends_it(run: str) -> None:
    first = Guest(run)
    kubeconfig = first.kubeconfig()
    second = Guest(run)
    assert kubeconfig
    assert second.kubeconfig() == kubeconfig
    first.end()
    assert len(left_of(run)) == 5, "the folder, its keeper, etcd, the API server and the controller manager"
    second.end()


def test_nothing_is_left_when_a_process_is_killed(run: str) -> None:
    guest = Guest(run)
    assert guest.kubeconfig()
    guest.process.send_signal(signal.SIGKILL)
    guest.end()
