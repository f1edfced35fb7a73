"""How a process that serves ends: where what it waits for does not answer, and whatever its threads do."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubeconfigs import User, write_kubeconfig

PATIENCE_S = 30


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        yield server


def test_one_that_has_not_begun_goes_at_once(silent: socket.socket, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    write_kubeconfig(kubeconfig, f"http://127.0.0.1:{silent.getsockname()[1]}", b"", {"controller": User("token")})
    command = [sys.executable, "-m", "sluice", "controller", f"--kubeconfig={kubeconfig}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        asked, _ = silent.accept()
        with asked:
            process.send_signal(signal.SIGTERM)

            assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_one_that_can_not_stop_ends_all_the_same() -> None:
    code = "from sluice.bootstrap.ending import end_within; import threading; end_within(0.1); threading.Event().wait()"
    done = subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "stopping took more than 0 s: ending without it\n")


BUSY = """
import sys, threading
from typing import Any
from pydantic import BaseModel, field_validator
from sluice.bootstrap.ending import end

class Checked(BaseModel):
    numbers: list[int]

    @field_validator("numbers")
    @classmethod
    def look(cls, numbers: Any) -> Any:
        busy.release()
        return numbers

def work() -> None:
    while True:
        Checked.model_validate({"numbers": [*range(500)]})

busy = threading.Semaphore(0)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for _ in range(50):
    busy.acquire()
print("last words")
end(3)
"""


def test_threads_that_are_in_the_midst_of_something_do_not_take_it_down() -> None:
    """Without ``end`` this process dies of SIGABRT or SIGSEGV four times in five."""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", BUSY], timeout=PATIENCE_S, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (3, "last words\n", "")
