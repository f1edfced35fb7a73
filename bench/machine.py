"""What kind of machine this is, in one line, with the two figures that matter most: one core's speed and one sync."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from bench.figures import percentile

SYNCS = 100
SPINS = 5


def machine(folder: Path) -> str:
    """Processors, Python, SQLite's best friend (one synced write of 4 KiB in ``folder``), load."""
    return (
        f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}; "
        f"fib(20) {spin() * 1e3:.1f} ms; a synced write p50 {sync(folder) * 1e3:.2f} ms; load {os.getloadavg()[0]:.1f}"
    )


def spin() -> float:
    """Seconds that fib(20) takes, the best of a few: how fast one core is just now."""

    def fib(n: int) -> int:
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    taken = []
    for _ in range(SPINS):
        started = time.perf_counter()
        fib(20)
        taken.append(time.perf_counter() - started)
    return min(taken)


def sync(folder: Path) -> float:
    """Seconds that appending 4 KiB and syncing it takes, the median of many."""
    path = folder / "sync"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            started = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    path.unlink()
    return percentile(taken, 50)
