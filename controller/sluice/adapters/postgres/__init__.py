"""The ledger on PostgreSQL: for controllers on a cluster, where several may be there and one leads."""

from sluice.adapters.postgres.ledger import PostgresLedger

__all__ = ["PostgresLedger"]
