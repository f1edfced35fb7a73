"""The first process of a real node: it gives the node's namespaces their mounts, and then only collects the dead.

What the node's programs write to ``/run`` and ``/var`` (sockets, network namespaces, addresses given out, logs) goes to
the node's folder, not to this machine's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

MS_REC, MS_SHARED = 1 << 14, 1 << 20
READY = "up"
"""The file in the node's folder that tells that others may enter."""


def main(folder: Path) -> None:
    """Runs until it is killed; all other processes of the node end with it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    upper, work = folder / "var", folder / "var-work"
    for path in (upper, work):
        path.mkdir(exist_ok=True)
    _mount("tmpfs", "/run")
    _mount("overlay", "/var", options=f"lowerdir=/var,upperdir={upper},workdir={work}")
    _mount("none", "/", flags=MS_REC | MS_SHARED)  # volumes that the kubelet mounts must appear in containers
    (folder / READY).touch()
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def _mount(kind: str, target: str, *, options: str = "", flags: int = 0) -> None:
    """By the system call: the program ``mount`` would make a folder in this machine's ``/run`` first."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(kind.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
