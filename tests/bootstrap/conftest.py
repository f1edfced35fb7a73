from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.bootstrap.admission import embedded_admission
from sluice.bootstrap.auditing import AuditedStore
from sluice.bootstrap.journal import Journal
from sluice.crds.bundle import schemas
from sluice.ports.ledger import AuditEvent
from sluice.ports.store import Actor
from tests.simulation.embedded import HandClock

ANA = Actor("ana@example.com", ("system:authenticated",))


class Audited:
    """A store that writes as Ana, and what the audit log has of it."""

    def __init__(self) -> None:
        known = schemas()
        self.writer = Writer(":memory:")
        self.clock = HandClock()
        self.ledger = SqliteLedger(self.writer, self.clock)
        self.inner = SqliteStore(self.writer, embedded_admission(known), self.clock, lambda kind: known.get(kind.kind))
        self.journal = Journal(self.ledger)
        self.store = AuditedStore(self.inner.acting_as(ANA), ANA, self.journal, "the test")

    def entries(self) -> list[AuditEvent]:
        """All entries, oldest first; nothing is entered afterwards."""
        self.journal.close()
        return list(reversed(self.ledger.audit_tail()))

    def actions(self) -> list[str]:
        return [entry.action for entry in self.entries()]

    def close(self) -> None:
        self.journal.close()
        self.inner.close()
        self.writer.close()


@pytest.fixture
def audited() -> Iterator[Audited]:
    made = Audited()
    yield made
    made.close()
