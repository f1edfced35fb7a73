"""How `sluice controller` ends where what it waits for does not answer."""

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
    code = "from sluice.bootstrap.controller import end_within; import threading; end_within(0.1); threading.Event().wait()"
    done = subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "stopping took more than 0 s: ending without it\n")
