from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sluice.adapters.postgres import PostgresLedger
from tests.adapters.postgres.server import Server, running

Controller = Callable[[], PostgresLedger]
Query = Callable[..., list[tuple[object, ...]]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def schema(server: Server) -> str:
    """The name of a schema that no other test uses."""
    return server.new_schema()


@pytest.fixture
def controller(server: Server, schema: str) -> Iterator[Controller]:
    """Makes one more controller's ledger; all of a test share their tables."""
    with contextlib.ExitStack() as stack:

        def make() -> PostgresLedger:
            return stack.enter_context(contextlib.closing(PostgresLedger(server.url, schema=schema)))

        yield make


@pytest.fixture
def ledger(controller: Controller) -> PostgresLedger:
    """The first controller's ledger."""
    return controller()


@pytest.fixture
def query(server: Server, schema: str) -> Iterator[Query]:
    """Ask the database itself."""
    with psycopg.connect(server.url, autocommit=True, options=f"-c search_path={schema}") as connection:
        yield (
            lambda text, *values: cursor.fetchall() if (cursor := connection.execute(text, values)).description else []
        )
