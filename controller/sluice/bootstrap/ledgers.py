"""The ledger that a URL names, opened: an SQLite file of this process alone, or PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.writer import Writer
from sluice.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """A ledger, and the writer of its file if it has one."""

    ledger: SqliteLedger | PostgresLedger
    writer: Writer | None = None

    def lead(self) -> None:
        """Begin a leader's term: from now on a leader before this one can write nothing."""
        if isinstance(self.ledger, PostgresLedger):
            self.ledger.lead()

    def close(self) -> None:
        """Write what is queued, and let go."""
        if isinstance(self.ledger, PostgresLedger):
            self.ledger.close()
        if self.writer is not None:
            self.writer.close()


def open_ledger(url: str, clock: Clock) -> OpenLedger:
    """``sqlite:////path/to/ledger.db`` or ``postgresql://...``.

    ValueError for a URL that is neither, Unavailable where the database can't be used: another process has the file, the
    server does not answer, or its tables are of a newer release.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        return OpenLedger(PostgresLedger(url))
    path = unquote(urlsplit(url).path)
    if scheme != "sqlite" or not path.startswith("/") or path == "/":
        raise ValueError(
            f"--ledger {_shown(url)}: write sqlite:////path/to/ledger.db or postgresql://user@host/database"
        )
    file = Path("/" + path.lstrip("/"))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = Writer(file)
    return OpenLedger(SqliteLedger(writer, clock), writer)


def _shown(url: str) -> str:
    """Without a password."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url
