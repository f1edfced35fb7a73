"""Connections to the ledger's database: what each of them is set to, and the pool for reading."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from sluice.ports.errors import Unavailable

Connection = psycopg.Connection[tuple[Any, ...]]

READERS = 4
"""At most so many connections read at a time; a fifth reader waits."""
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30

_SETTINGS = (
    f"SET statement_timeout = '{ANSWER_SECONDS}s'",
    # a controller that stops in the middle of a batch holds the turn of all others
    "SET idle_in_transaction_session_timeout = '10s'",
    # 'off' would answer before the write is durable; anything stronger than 'on' stays as the server has it
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')",
)


def connect(url: str, schema: str) -> Connection:
    """One connection, committing each statement by itself. Unavailable when there is no answer."""
    try:
        connection: Connection = psycopg.connect(
            url, autocommit=True, prepare_threshold=0, connect_timeout=CONNECT_SECONDS, application_name="sluice"
        )
    except psycopg.Error as error:
        raise Unavailable(
            f"can't connect to the ledger's database: {_first_line(error)}; nothing was written"
        ) from error
    _configure(connection, schema)
    return connection


def _configure(connection: Connection, schema: str) -> None:
    connection.adapters.register_dumper(int, Int8Dumper)  # else each size of number is prepared apart
    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
    for setting in _SETTINGS:
        connection.execute(setting)


class Readers:
    """Connections that read what was committed, lent out one query at a time."""

    def __init__(self, url: str, schema: str) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=1,
            max_size=READERS,
            timeout=CONNECT_SECONDS,
            open=True,
            name="ledger-readers",
            kwargs={"autocommit": True, "prepare_threshold": 0, "application_name": "sluice"},
            configure=lambda connection: _configure(connection, schema),
            check=ConnectionPool.check_connection,
        )

    @contextlib.contextmanager
    def lend(self) -> Iterator[Connection]:
        """A connection for a query. Unavailable when the database does not answer."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolClosed as error:
            raise Unavailable("the ledger is closed") from error
        except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable(f"the ledger's database does not answer: {_first_line(error)}; try again") from error

    def close(self) -> None:
        """Close all of them. Safe to call twice."""
        self._pool.close()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
