"""The ledger on SQLite and on PostgreSQL in one run: how many runs it lets in, and how many appends it makes durable.

Both sync for real, on the disk that holds ``TMPDIR``. PostgreSQL's server is started for this and shares the machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.adapters.postgres.server import running
from tests.contracts.ledger.builders import admission, ended, started

from sluice.adapters.postgres import PostgresLedger
from sluice.adapters.sqlite.ledger import SqliteLedger
from sluice.adapters.sqlite.writer import Writer
from sluice.ports.clock import SystemClock
from sluice.ports.launcher import Append
from sluice.ports.ledger import Ledger

ADMITS = 2000
STEPS = 10


def admits(ledger: Ledger, threads: int, name: str) -> float:
    """Runs let in per second by so many threads."""
    with ThreadPoolExecutor(threads) as pool:
        before = time.perf_counter()
        list(pool.map(lambda n: ledger.admit(admission(f"{name}-{n}", hundredths=1000)), range(ADMITS)))
        return ADMITS / (time.perf_counter() - before)


def appends(ledger: Ledger, runs: int, name: str) -> tuple[float, float]:
    """So many runs at once append two events, wait until they are durable, and go on: (appends per second, median s)."""
    uids = [f"{name}-{n}" for n in range(runs)]
    for uid in uids:
        ledger.admit(admission(uid))
    steps = max(STEPS, 1000 // runs)
    took: list[float] = []
    over = threading.Semaphore(0)

    def step(uid: str, n: int) -> None:
        began = time.perf_counter()

        def done(outcome: bool | BaseException) -> None:
            if outcome is not True:
                raise RuntimeError(f"append {n} of {uid} was answered with {outcome!r}")
            took.append(time.perf_counter() - began)
            if n < steps:
                step(uid, n + 1)
            else:
                over.release()

        ledger.append(Append(uid, "main", 1, 2 * n - 1, (started(f"s{n}"), ended(f"s{n}", output={"n": n}))), done)

    before = time.perf_counter()
    for uid in uids:
        step(uid, 1)
    for _ in uids:
        if not over.acquire(timeout=120):
            raise RuntimeError("an append was never answered")
    return len(took) / (time.perf_counter() - before), statistics.median(took)


def measure(name: str, ledger: Ledger, passes: int) -> None:
    """Print the best of some passes."""
    for threads in (1, 8):
        best = max(admits(ledger, threads, f"a{threads}-{k}") for k in range(passes))
        print(f"{name:10}  {threads:3} threads admit    {best:6.0f} runs/s", flush=True)
    for runs in (1, 8, 200):
        rate, median = max(appends(ledger, runs, f"p{runs}-{k}") for k in range(passes))
        print(f"{name:10}  {runs:3} runs append     {rate:6.0f} appends/s, median {median * 1000:.2f} ms", flush=True)


def _on_sqlite(measured: Callable[[Ledger], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / "ledger.db")
        measured(SqliteLedger(writer, SystemClock()))
        writer.close()


def _on_postgres(measured: Callable[[Ledger], None]) -> None:
    with running(fsync="on", full_page_writes="on", autovacuum="on") as server:
        ledger = PostgresLedger(server.url)
        measured(ledger)
        ledger.close()


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=3)
    passes = parser.parse_args().passes
    _on_sqlite(lambda ledger: measure("SQLite", ledger, passes))
    _on_postgres(lambda ledger: measure("PostgreSQL", ledger, passes))


if __name__ == "__main__":
    main()
