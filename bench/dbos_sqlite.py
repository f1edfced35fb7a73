"""DBOS on SQLite, as a library in this process, each workload written the way that is fastest for it.

Measured against its other ways: threads beat its asyncio for many runs (submitted by 8 threads, three times as fast as
by one), asyncio beats child workflows for the fan-out.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dbos import DBOS

from bench.workloads import CLIENTS, serve


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@DBOS.step()
def nothing() -> int:
    return 1


@DBOS.step()
def light() -> int:
    return fib(10)


@DBOS.step()
def now() -> float:
    return time.time()


@DBOS.step()
async def nothing_async() -> int:
    return 1


@DBOS.workflow()
def three() -> None:
    for _ in range(3):
        nothing()


@DBOS.workflow()
def forty() -> None:
    for _ in range(40):
        light()


@DBOS.workflow()
async def spread() -> None:
    await asyncio.gather(*(nothing_async() for _ in range(100)))
    await nothing_async()


@DBOS.workflow()
def clock() -> float:
    began = now()
    nothing()
    nothing()
    return began


class DbosSqlite:
    """DBOS with its system database as a file in ``folder``."""

    def __init__(self, folder: Path) -> None:
        config: Any = {
            "name": "bench",
            "system_database_url": f"sqlite:///{folder / 'dbos.sqlite'}",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
        DBOS(config=config)
        DBOS.launch()
        self._clients = ThreadPoolExecutor(CLIENTS)

    def prepare(self) -> None:
        """Nothing: its workflows are this module."""

    def many(self, count: int) -> None:
        """See the side."""
        handles = list(self._clients.map(lambda _: DBOS.start_workflow(three), range(count)))
        for handle in handles:
            handle.get_result()

    def chain(self) -> None:
        """See the side."""
        DBOS.start_workflow(forty).get_result()

    def fan(self) -> None:
        """See the side."""
        asyncio.run(_spread())

    def one(self) -> float:
        """See the side."""
        return DBOS.start_workflow(clock).get_result()

    def pids(self) -> list[int]:
        """See the side."""
        return [os.getpid()]

    def close(self) -> None:
        """See the side."""
        self._clients.shutdown()
        DBOS.destroy()


async def _spread() -> None:
    handle = await DBOS.start_workflow_async(spread)
    await handle.get_result()


if __name__ == "__main__":
    serve(DbosSqlite)
