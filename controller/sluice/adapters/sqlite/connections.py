"""Opening the one SQLite file: how durable it is, who may write, who may only read."""

from __future__ import annotations

import fcntl
import itertools
import os
import sqlite3
import threading
import weakref
from pathlib import Path
from typing import IO

from sluice.ports.errors import Unavailable

MEMORY = ":memory:"
BUSY_TIMEOUT_MS = 5_000
CHECKPOINT_PAGES = 4_000
"""The log is folded into the file every 16 MB: rarely enough that few commits pay for it."""

_memory_numbers = itertools.count(1)


class Reader(sqlite3.Connection):
    """A reading connection that closes itself when its thread is gone."""

    def __del__(self) -> None:
        self.close()


class Database:
    """One database: a file with an exclusive lock beside it, or (``:memory:``) one that ends with the process.

    Raises Unavailable when another process has the file open or when it can't be opened.
    """

    def __init__(self, path: Path | str) -> None:
        self.in_memory = str(path) == MEMORY
        self._lock: IO[bytes] | None = None
        self._local = threading.local()
        self._readers: weakref.WeakSet[Reader] = weakref.WeakSet()
        if self.in_memory:
            # A named memory database, so that reading connections of other threads see the same data.
            self._uri = f"file:/sluice-{os.getpid()}-{next(_memory_numbers)}?vfs=memdb"
            return
        file = Path(path).absolute()
        self._uri = file.as_uri()
        self._lock = _lock(file.with_name(file.name + "-lock"))

    def open_writer(self) -> sqlite3.Connection:
        """The writing connection, without implicit transactions. Synchronous FULL: a commit outlives a power loss."""
        connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            connection.execute(f"PRAGMA journal_mode={'MEMORY' if self.in_memory else 'WAL'}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA temp_store=MEMORY")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def reader(self) -> sqlite3.Connection:
        """This thread's own reading connection; what it reads is what was committed."""
        existing: Reader | None = getattr(self._local, "connection", None)
        if existing is not None:
            return existing
        connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False, factory=Reader)
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA query_only=ON")
        self._local.connection = connection
        self._readers.add(connection)
        return connection

    def close(self) -> None:
        """Close all reading connections and give up the lock. Safe to call twice."""
        for connection in list(self._readers):
            connection.close()
        self._local = threading.local()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _lock(path: Path) -> IO[bytes]:
    """Hold ``path`` for this process; the kernel lets go of it when the process ends, however it ends."""
    try:
        file = path.open("ab")
    except OSError as error:
        raise Unavailable(
            f"can't open {path}: {error.strerror}; check that the folder exists and is writable"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        database = path.with_name(path.name.removesuffix("-lock"))
        raise Unavailable(f"{database} is in use by another process; stop that one or choose another file") from error
    return file
