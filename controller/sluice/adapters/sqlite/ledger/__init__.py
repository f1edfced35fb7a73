"""The ledger in SQLite: run history, draws, events, counters and the audit chain."""

from sluice.adapters.sqlite.ledger.ledger import SqliteLedger

__all__ = ["SqliteLedger"]
