"""Removes what a real node leaves behind when its owner is gone, however that went: control groups, a bridge, folders.

Processes and mounts of a node end with its namespaces; these things do not. The janitor is a process of its own, told
line by line what there is. When the owner closes the line, or is killed and the kernel closes it, it removes all of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
"""How long the last processes of a killed node may take to be gone."""
CGROUP, BRIDGE, FOLDER = "cgroup", "bridge", "folder"


class Janitor:
    """The owner's end: what was told to ``remember`` is gone after the block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.janitor"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # what ends the owner must not end it
        )

    def remember(self, kind: str, name: str | Path) -> None:
        """Something that nobody else has; best before it is made."""
        assert self._process.stdin
        self._process.stdin.write(f"{kind} {name}\n")
        self._process.stdin.flush()

    def __enter__(self) -> Janitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(2 * PATIENCE_S)


def hierarchies() -> list[Path]:
    """Where this machine's control groups are: one tree, or one for each controller."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines())
    return [Path(mount[1]) for mount in mounts if mount[2] in {"cgroup", "cgroup2"}]


def remove(kind: str, name: str) -> None:
    """Remove one thing; nothing to do if it is not there."""
    if kind == CGROUP:
        for hierarchy in hierarchies():
            _remove_cgroup(hierarchy / name)
    elif kind == BRIDGE:
        subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
    else:
        _remove_folder(Path(name))


def _remove_cgroup(top: Path) -> None:
    """From the leaves up; a group is busy until its last process is gone."""
    deadline = time.monotonic() + PATIENCE_S
    while top.exists():
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _remove_folder(top: Path) -> None:
    """Again, if a program that is about to end wrote something meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while top.exists() and time.monotonic() < deadline:
        shutil.rmtree(top, ignore_errors=True)


def main() -> None:
    """Note what comes in, and remove it in reverse when nothing comes any more."""
    noted = [line.strip().split(" ", 1) for line in sys.stdin]
    for kind, name in reversed(noted):
        remove(kind, name)


if __name__ == "__main__":
    main()
