"""A directory of manifests as a Source: read whole, followed by watching it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from sluice.adapters.files.results import LoadResult
from sluice.adapters.files.settling import Fingerprint, fingerprint, read_settled
from sluice.ports.source import SourceObject, Tree

DEBOUNCE_MS = 50
"""Milliseconds in which changes are gathered: an editor writes a file in several steps."""

LOOK_MS = 1000
"""Milliseconds after which it is looked whether the watch still holds: a folder that is made anew is another one."""

LARGE = 32 * 1024
"""Bytes of manifests: about what is read and validated in 30 ms."""

Call = Callable[[Callable[[Path], LoadResult], Path], LoadResult]


class DirectorySource:
    """All manifests below ``path``."""

    def __init__(self, path: Path, call: Call | None = None) -> None:
        """``call`` runs a function elsewhere: reading a large folder would keep this process busy for seconds."""
        self._path = path
        self._call = call
        self._closed = threading.Event()
        self._last_read: Fingerprint = {}

    @property
    def name(self) -> str:
        """``dir-`` and the folder's name."""
        plain = re.sub(r"[^a-z0-9]+", "-", self._path.resolve().name.lower()).strip("-")
        return f"dir-{plain or 'root'}"[:63].rstrip("-")

    def read(self) -> Tree:
        """Everything that the directory declares now."""
        self._last_read = fingerprint(self._path)
        if self._call is not None and _is_large(self._path):
            loaded = self._call(read_settled, self._path)
        else:
            loaded = read_settled(self._path)
        lines = [(finding.is_error, str(finding)) for finding in loaded.findings]
        return Tree(
            objects=tuple(
                SourceObject(manifest.obj, f"{manifest.file}:{manifest.line}") for manifest in loaded.objects
            ),
            errors=tuple(line for is_error, line in lines if is_error),
            warnings=tuple(line for is_error, line in lines if not is_error),
        )

    def changes(self) -> Iterator[None]:
        """Yields after files were added, changed or removed, also when the folder itself goes and comes back."""
        while not self._closed.is_set():
            try:
                known = _identity(self._path)
            except OSError:
                self._closed.wait(LOOK_MS / 1000)
                continue
            yield from self._watch(known)

    def _watch(self, known: tuple[int, int]) -> Iterator[None]:
        """Watch the folder while it is the one that is known."""
        from watchfiles import watch  # noqa: PLC0415 - not needed to read once

        if fingerprint(self._path) != self._last_read:
            yield None
        looked = False
        for changes in watch(
            self._path,
            stop_event=self._closed,
            debounce=DEBOUNCE_MS,
            step=10,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            # What changed between the first look and the beginning of the watch was told by nobody.
            if changes or (not looked and fingerprint(self._path) != self._last_read):
                yield None
            looked = True
            # A folder that was made anew may have the same inode.
            if not _is_still(self._path, known) or any(Path(path) == self._path for _, path in changes):
                yield None
                return

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()


def _is_large(path: Path) -> bool:
    total = 0
    for folder, _, files in os.walk(path):
        for file in files:
            if file.endswith((".yaml", ".yml", ".json")):
                try:
                    total += os.stat(os.path.join(folder, file)).st_size
                except OSError:
                    continue
                if total > LARGE:
                    return True
    return False


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def _is_still(path: Path, known: tuple[int, int]) -> bool:
    try:
        return _identity(path) == known
    except OSError:
        return False
