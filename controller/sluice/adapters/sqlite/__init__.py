"""Objects and ledger in one SQLite file, written by one thread."""
