"""A folder read at a moment in which nobody writes to it.

Programs write a file in several steps, and a file read in between may be valid and mean something else: an empty one
declares nothing, half a script is a script. So a folder is read again until its files are the same before and after.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sluice.adapters.files.manifests import check_directory
from sluice.adapters.files.results import LoadResult

SETTLE = 0.03
"""Seconds for which no file may have changed before the folder is read."""

ATTEMPTS = 100
"""A folder that never rests is read as it is after so many."""

Fingerprint = dict[str, tuple[int, int, int]]
"""Inode, size and time of change in nanoseconds, by path."""


def read_settled(path: Path) -> LoadResult:
    """As `check_directory`. Waits while files are being written; may be called in a helper process."""
    before = _rested(path)
    for _ in range(ATTEMPTS):
        loaded = check_directory(path)
        after = _rested(path)
        if after == before:
            break
        before = after
    return loaded


def fingerprint(path: Path) -> Fingerprint:
    """What tells whether a file below ``path`` was touched; what can't be looked at is left out."""
    found: Fingerprint = {}
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            file = os.path.join(folder, name)
            try:
                stat = os.stat(file)
            except OSError:
                continue
            found[file] = (stat.st_ino, stat.st_size, stat.st_ctime_ns)
    return found


def _rested(path: Path) -> Fingerprint:
    """The fingerprint of a folder in which nothing changed just now."""
    for _ in range(ATTEMPTS):
        found = fingerprint(path)
        newest = max((changed for _, _, changed in found.values()), default=0)
        age = time.time() - newest / 1e9
        if not 0 <= age < SETTLE:
            break
        time.sleep(SETTLE - age)
    return found
