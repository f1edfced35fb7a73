"""Tables are made once, whoever comes first, and those of a newer release are left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.postgres.schema import LEVELS
from sluice.ports.errors import Unavailable
from sluice.ports.ledger import AuditEvent
from tests.adapters.postgres.conftest import Controller, Query
from tests.adapters.postgres.server import Server
from tests.contracts.ledger.builders import admission


def test_controllers_that_start_together_make_the_tables_once(controller: Controller, query: Query) -> None:
    with ThreadPoolExecutor(4) as pool:
        ledgers = list(pool.map(lambda _: controller(), range(4)))

    for n, ledger in enumerate(ledgers):
        ledger.admit(admission(f"r{n}"))
    assert len(ledgers[0].open_runs()) == 4
    assert query("SELECT v FROM meta WHERE k = 'level'") == [(len(LEVELS),)]


def test_what_is_there_is_kept(controller: Controller) -> None:
    controller().admit(admission("r"))

    assert controller().run("r") is not None


def test_tables_of_a_newer_release_are_refused(
    server: Server, schema: str, ledger: PostgresLedger, query: Query
) -> None:
    query("UPDATE meta SET v = 99 WHERE k = 'level'")

    with pytest.raises(Unavailable, match="level 99"):
        PostgresLedger(server.url, schema=schema)
    assert query("SELECT v FROM meta WHERE k = 'level'") == [(99,)]


def test_an_account_that_may_not_create_schemas_uses_one_that_is_there(server: Server, schema: str) -> None:
    PostgresLedger(server.url, schema=schema).close()
    with_rights = f"{server.url} options='-c role=humble_{schema}'"
    ledger = PostgresLedger(server.url, schema=schema)
    ledger._lane.run(lambda connection: connection.execute(_HUMBLE.format(schema)) and None)
    ledger.close()

    humble = PostgresLedger(with_rights, schema=schema)
    assert humble.admit(admission("r")).epoch == 1
    humble.close()


_HUMBLE = """
    DO $$ BEGIN
        CREATE ROLE humble_{0};
        GRANT USAGE ON SCHEMA {0} TO humble_{0};
        GRANT ALL ON ALL TABLES IN SCHEMA {0} TO humble_{0};
    END $$
"""


def test_an_audit_entry_that_was_changed_is_found(ledger: PostgresLedger, query: Query) -> None:
    ledger.audit([AuditEvent(n, "ana", "edited", "team", f"w{n}", {"n": n}) for n in range(5)])
    assert ledger.audit_broken_at() == 0

    query("UPDATE audit SET actor = 'bob' WHERE n = 3")

    assert ledger.audit_broken_at() == 3
