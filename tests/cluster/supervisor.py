"""Keeps one cluster for all test processes of a run: it lives for as long as somebody is connected to its socket.

Whoever needs the cluster connects and stays connected. A process that dies, however it dies, is disconnected by
the kernel; when the last one is gone everything is stopped and the folder removed. So nothing is left behind.
"""

from __future__ import annotations

import json
import selectors
import shutil
import socket
import sys
from pathlib import Path

from tests.cluster.cluster import Shape, cluster

SOCKET = "socket"
READY = b"ready\n"
FIRST_S = 30
"""How long to wait for the first one who needs it."""


def main(folder: Path, shape: Shape) -> None:
    """Run until nobody is connected any more."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / SOCKET))
        door.listen(64)
        try:
            with cluster(folder, shape):
                _serve(door)
        except Exception as error:
            _tell_all(door, str(error).encode())
            raise
        finally:
            door.close()
            shutil.rmtree(folder, ignore_errors=True)


def _serve(door: socket.socket) -> None:
    """Tell everybody who comes that all is ready; return when the last one has gone."""
    with selectors.DefaultSelector() as selector:
        selector.register(door, selectors.EVENT_READ)
        guests = 0
        while True:
            ready = selector.select(FIRST_S if not guests else None)
            for key, _ in ready:
                if key.fileobj is door:
                    guest, _ = door.accept()
                    selector.register(guest, selectors.EVENT_READ, guest)
                    guests += 1
                    _tell(guest, READY)
                elif not key.data.recv(1):
                    selector.unregister(key.data)
                    key.data.close()
                    guests -= 1
            if not guests:
                return


def _tell_all(door: socket.socket, what: bytes) -> None:
    """Tell those who wait at the door why there is nothing to come in for."""
    door.setblocking(False)
    while True:
        try:
            guest, _ = door.accept()
        except BlockingIOError:
            return
        with guest:
            _tell(guest, what)


def _tell(guest: socket.socket, what: bytes) -> None:
    try:
        guest.sendall(what)
    except OSError:
        return  # it has gone already, and its end of the connection tells so


if __name__ == "__main__":
    main(Path(sys.argv[1]), Shape(**json.loads(sys.argv[2])))
