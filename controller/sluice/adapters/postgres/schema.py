"""The ledger's tables in PostgreSQL, level by level, brought up under a lock that only one controller holds.

Counters leave room in their pages (fillfactor), so that counting does not move rows. Times are microseconds since the
epoch, bodies JSON. Ids are in the order of commits, because batches take turns (see ``lane``).
"""

from __future__ import annotations

from psycopg import sql

from sluice.adapters.postgres.connections import Connection
from sluice.ports.errors import Fenced, Unavailable

BRINGING_UP = 0x51_1CE_001
"""Advisory lock: who holds it may change tables."""

LEVELS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE run (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            uid text NOT NULL UNIQUE,
            ns text NOT NULL, name text NOT NULL,
            workflow text NOT NULL, workflow_uid text NOT NULL, env text NOT NULL,
            number bigint NOT NULL, candidate bigint NOT NULL, win text NOT NULL, n bigint NOT NULL,
            pinned bigint NOT NULL DEFAULT 0, counted bigint NOT NULL, phase text NOT NULL,
            actor text NOT NULL, trig text NOT NULL, replay_of text NOT NULL,
            created bigint NOT NULL, started bigint NOT NULL DEFAULT 0, ended bigint NOT NULL DEFAULT 0,
            took bigint NOT NULL DEFAULT 0, body bytea
        ) WITH (fillfactor = 70)
        """,
        "CREATE INDEX run_by_namespace ON run (ns, id)",
        "CREATE INDEX run_by_workflow ON run (workflow_uid, id)",
        "CREATE INDEX run_by_workflow_name ON run (ns, workflow, id)",
        "CREATE INDEX run_by_name ON run (ns, name, id)",
        "CREATE INDEX run_open ON run (workflow_uid, env, phase, id) WHERE ended = 0",
        "CREATE INDEX run_by_window ON run (win, candidate, id)",
        "CREATE INDEX run_took ON run (workflow_uid, env, number, ended) WHERE ended > 0",
        """
        CREATE TABLE win (
            id text PRIMARY KEY, workflow_uid text NOT NULL, env text NOT NULL, revision bigint NOT NULL,
            n bigint NOT NULL, candidates bigint NOT NULL, stables bigint NOT NULL
        ) WITH (fillfactor = 70)
        """,
        "CREATE INDEX win_by_workflow ON win (workflow_uid, revision)",
        "CREATE TABLE returned (win text NOT NULL, n bigint NOT NULL, PRIMARY KEY (win, n))",
        """
        CREATE TABLE unit (
            run bigint NOT NULL, path text NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL,
            PRIMARY KEY (run, path)
        ) WITH (fillfactor = 70)
        """,
        """
        CREATE TABLE event (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            run bigint NOT NULL, path text NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL,
            at bigint NOT NULL, kind text NOT NULL, step text NOT NULL, attempt bigint NOT NULL, body bytea NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX event_once ON event (run, path, epoch, seq)",
        """
        CREATE TABLE stat (
            workflow_uid text NOT NULL, hour bigint NOT NULL, env text NOT NULL, number bigint NOT NULL,
            started bigint NOT NULL DEFAULT 0, succeeded bigint NOT NULL DEFAULT 0, failed bigint NOT NULL DEFAULT 0,
            error bigint NOT NULL DEFAULT 0, other bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (workflow_uid, hour, env, number)
        ) WITH (fillfactor = 70)
        """,
        """
        CREATE TABLE dropped (
            workflow_uid text NOT NULL, hour bigint NOT NULL, env text NOT NULL, reason text NOT NULL, n bigint NOT NULL,
            PRIMARY KEY (workflow_uid, hour, env, reason)
        ) WITH (fillfactor = 70)
        """,
        """
        CREATE TABLE version (
            workflow_uid text NOT NULL, number bigint NOT NULL, digest text NOT NULL, level bigint NOT NULL,
            at bigint NOT NULL, PRIMARY KEY (workflow_uid, number)
        )
        """,
        """
        CREATE TABLE once (
            scope text NOT NULL, k text NOT NULL, object text NOT NULL, expires bigint NOT NULL, PRIMARY KEY (scope, k)
        )
        """,
        "CREATE TABLE part (run text NOT NULL, kind text NOT NULL, body bytea NOT NULL, PRIMARY KEY (run, kind))",
        """
        CREATE TABLE audit (
            n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL, actor text NOT NULL,
            action text NOT NULL, ns text NOT NULL, object text NOT NULL, body bytea NOT NULL, hash text NOT NULL
        )
        """,
    ),
    # who fetched the assignment of a unit's newest epoch: a pod's uid, empty as long as nobody has
    ("ALTER TABLE unit ADD COLUMN holder text NOT NULL DEFAULT ''",),
)


def bring_up(connection: Connection, schema: str) -> None:
    """Create or migrate the tables of ``schema`` in one transaction. Unavailable when they are of a newer release."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (BRINGING_UP,))
        known = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
        if known is None:  # asked first: who may only use a schema need not be allowed to create one
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        if connection.execute("SELECT to_regclass('meta')").fetchone() == (None,):
            connection.execute("CREATE TABLE meta (k text PRIMARY KEY, v bigint NOT NULL)")
            connection.execute("INSERT INTO meta VALUES ('level', 0), ('term', 0)")
        level = _value(connection, "level")
        if level > len(LEVELS):
            raise Unavailable(
                f"the ledger is of level {level}, this release knows {len(LEVELS)}: start the newer release that wrote it"
            )
        for statements in LEVELS[level:]:
            for statement in statements:
                connection.execute(statement)
        if level < len(LEVELS):
            connection.execute("UPDATE meta SET v = %s WHERE k = 'level'", (len(LEVELS),))


def raise_term(connection: Connection) -> int:
    """Begin a leader's term: whatever is written under an older one is refused from the commit on."""
    row = connection.execute("UPDATE meta SET v = v + 1 WHERE k = 'term' RETURNING v").fetchone()
    if row is None:
        raise Unavailable("the ledger's tables have no term; was the table `meta` changed by hand?")
    return int(row[0])


def check_term(connection: Connection, term: int) -> None:
    """Hold on to ``term`` until the transaction ends; Fenced when a newer leader has begun another."""
    row = connection.execute("SELECT v FROM meta WHERE k = 'term' FOR SHARE").fetchone()
    if row is None or row[0] != term:
        raise Fenced(f"the leader's term {term} is over, {row[0] if row else 'none'} has begun; nothing was written")


def _value(connection: Connection, key: str) -> int:
    row = connection.execute("SELECT v FROM meta WHERE k = %s", (key,)).fetchone()
    return int(row[0]) if row else 0
