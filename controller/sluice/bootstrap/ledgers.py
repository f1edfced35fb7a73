"""The ledger that a URL names, opened: an SQLite file of this process alone, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sluice.ports.clock import Clock
from sluice.ports.ledger import Ledger

if TYPE_CHECKING:
    from sluice.adapters.sqlite.writer import Writer


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """A ledger, and the writer of its file if it has one.

    ``lead`` begins a leader's term: from then on a leader before this one can write nothing. ``close`` writes what is
    queued, and lets go.
    """

    ledger: Ledger
    lead: Callable[[], object]
    close: Callable[[], None]
    writer: Writer | None = None


def open_ledger(url: str, clock: Clock) -> OpenLedger:
    """``sqlite:////path/to/ledger.db`` or ``postgresql://...``.

    ValueError for a URL that is neither, Unavailable where the database can't be used: another process has the file, the
    server does not answer, or its tables are of a newer release.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        return _on_postgres(url)
    path = unquote(urlsplit(url).path)
    if scheme != "sqlite" or not path.startswith("/") or path == "/":
        raise ValueError(
            f"--ledger {_shown(url)}: write sqlite:////path/to/ledger.db or postgresql://user@host/database"
        )
    return _on_sqlite(Path("/" + path.lstrip("/")), clock)


def _on_postgres(url: str) -> OpenLedger:
    from sluice.adapters.postgres import PostgresLedger  # noqa: PLC0415 - 11 MB, for those who have it

    ledger = PostgresLedger(url)
    return OpenLedger(ledger, ledger.lead, ledger.close)


def _on_sqlite(file: Path, clock: Clock) -> OpenLedger:
    from sluice.adapters.sqlite.ledger import SqliteLedger  # noqa: PLC0415
    from sluice.adapters.sqlite.writer import Writer  # noqa: PLC0415

    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = Writer(file)
    return OpenLedger(SqliteLedger(writer, clock), lambda: None, writer.close, writer)


def _shown(url: str) -> str:
    """Without a password."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url
