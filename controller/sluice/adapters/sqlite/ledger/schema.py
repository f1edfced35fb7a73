"""The ledger's tables, level by level. A file of an older level is brought up when it is opened; a newer one is refused.

Every hot query is answered by an index; nothing is scanned. Times are integer microseconds since the epoch, bodies JSON.
"""

from __future__ import annotations

import sqlite3

from sluice.ports.errors import Unavailable

LEVELS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            uid TEXT NOT NULL UNIQUE,
            ns TEXT NOT NULL, name TEXT NOT NULL,
            workflow TEXT NOT NULL, workflow_uid TEXT NOT NULL, env TEXT NOT NULL,
            number INTEGER NOT NULL, candidate INTEGER NOT NULL, win TEXT NOT NULL, n INTEGER NOT NULL,
            pinned INTEGER NOT NULL DEFAULT 0, counted INTEGER NOT NULL, phase TEXT NOT NULL,
            actor TEXT NOT NULL, trig TEXT NOT NULL, replay_of TEXT NOT NULL,
            created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0,
            took INTEGER NOT NULL DEFAULT 0, body BLOB
        )
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
            id TEXT PRIMARY KEY, workflow_uid TEXT NOT NULL, env TEXT NOT NULL, revision INTEGER NOT NULL,
            n INTEGER NOT NULL, candidates INTEGER NOT NULL, stables INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX win_by_workflow ON win (workflow_uid, revision)",
        "CREATE TABLE returned (win TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (win, n)) WITHOUT ROWID",
        """
        CREATE TABLE unit (
            run INTEGER NOT NULL, path TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            PRIMARY KEY (run, path)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE event (
            id INTEGER PRIMARY KEY, run INTEGER NOT NULL, path TEXT NOT NULL, epoch INTEGER NOT NULL,
            seq INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL,
            body BLOB NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX event_once ON event (run, path, epoch, seq)",
        """
        CREATE TABLE stat (
            workflow_uid TEXT NOT NULL, hour INTEGER NOT NULL, env TEXT NOT NULL, number INTEGER NOT NULL,
            started INTEGER NOT NULL DEFAULT 0, succeeded INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
            error INTEGER NOT NULL DEFAULT 0, other INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (workflow_uid, hour, env, number)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE dropped (
            workflow_uid TEXT NOT NULL, hour INTEGER NOT NULL, env TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (workflow_uid, hour, env, reason)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE version (
            workflow_uid TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, level INTEGER NOT NULL,
            at INTEGER NOT NULL, PRIMARY KEY (workflow_uid, number)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE once (
            scope TEXT NOT NULL, k TEXT NOT NULL, object TEXT NOT NULL, expires INTEGER NOT NULL,
            PRIMARY KEY (scope, k)
        ) WITHOUT ROWID
        """,
        "CREATE TABLE part (run TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, kind)) WITHOUT ROWID",
        """
        CREATE TABLE audit (
            n INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, ns TEXT NOT NULL,
            object TEXT NOT NULL, body BLOB NOT NULL, hash TEXT NOT NULL
        )
        """,
    ),
    # who fetched the assignment of a unit's newest epoch: a pod's uid, empty as long as nobody has
    ("ALTER TABLE unit ADD COLUMN holder TEXT NOT NULL DEFAULT ''",),
)


def bring_up(connection: sqlite3.Connection) -> None:
    """Create or migrate the tables inside the caller's transaction. Unavailable when the file is of a newer release."""
    connection.execute("CREATE TABLE IF NOT EXISTS ledger_meta (k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID")
    row = connection.execute("SELECT v FROM ledger_meta WHERE k = 'level'").fetchone()
    level = row[0] if row else 0
    if level > len(LEVELS):
        raise Unavailable(
            f"the ledger is of level {level}, this release knows {len(LEVELS)}: start the newer release that wrote it"
        )
    for statements in LEVELS[level:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute("INSERT OR REPLACE INTO ledger_meta (k, v) VALUES ('level', ?)", (len(LEVELS),))
