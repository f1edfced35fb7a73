"""One cluster for a whole run of the tests, however many processes it has; or the cluster that somebody names."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from tests.cluster.build import cache_folder, program
from tests.cluster.cluster import Shape, prepare
from tests.cluster.control_plane import CONTROLLER
from tests.cluster.installation import ROOT, Cluster, install
from tests.cluster.kubeconfigs import server_host
from tests.cluster.processes import START_S
from tests.cluster.supervisor import READY, SOCKET

GIVEN = "SLUICE_TEST_KUBECONFIG"


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A cluster with Sluice's kinds and policies. ``controller`` is the context that acts as Sluice's controller.

    A cluster that was given has only one context to act in; ``controller`` is empty then.
    """

    kubeconfig: Path
    kubectl: Path
    controller: str = ""
    host: str = ""
    """The address of this machine for pods, where real nodes are ours."""


PLAIN = Shape(scheduler=False)
"""A control plane alone: no pod ever runs."""


@contextmanager
def shared(run: str, shape: Shape = PLAIN) -> Iterator[ControlPlane]:
    """The cluster of that shape of a test run; it stays while anybody of the same ``run`` is in such a block."""
    given = os.environ.get(GIVEN)
    if given:
        yield _given(Path(given))
        return
    prepare(shape)
    suffix = "" if shape == PLAIN else "-" + "-".join(str(int(value)) for value in astuple(shape))
    folder = Path(tempfile.gettempdir()) / f"sluice-cluster-{run}{suffix}"
    with _connected(folder, shape) as connection:
        _wait_until_ready(connection)
        kubeconfig = folder / "kubeconfig"
        host = server_host(kubeconfig) if shape.nodes else ""
        yield ControlPlane(kubeconfig, program("kubectl"), CONTROLLER, host)


def _given(kubeconfig: Path) -> ControlPlane:
    """The cluster of a kubeconfig, by the kubectl that is installed."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise FileNotFoundError(f"the tests on the cluster of {GIVEN} need kubectl on the PATH")
    install(Cluster(Path(kubectl), kubeconfig))
    return ControlPlane(kubeconfig, Path(kubectl))


@contextmanager
def _connected(folder: Path, shape: Shape) -> Iterator[socket.socket]:
    """A place in the folder's control plane, which the first one starts."""
    with (cache_folder() / ".start").open("w") as lock, socket.socket(socket.AF_UNIX) as connection:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection.settimeout(3 * START_S)
        try:
            connection.connect(str(folder / SOCKET))
        except (FileNotFoundError, ConnectionRefusedError):
            _start(folder, shape)
            _connect_when_open(connection, folder)
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield connection


def _start(folder: Path, shape: Shape) -> None:
    """In a session of its own, so that a Ctrl-C for the tests leaves it the time to clean up."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.supervisor", str(folder), json.dumps(asdict(shape))],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ).returncode = 0  # it outlives whoever starts it, so nobody waits for it


def _connect_when_open(connection: socket.socket, folder: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            return connection.connect(str(folder / SOCKET))
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _wait_until_ready(connection: socket.socket) -> None:
    said = b""
    while part := connection.recv(1 << 16):
        said += part
        if said == READY:
            return
    raise RuntimeError(f"the cluster did not start: {said.decode(errors='replace') or 'it ended without a word'}")
