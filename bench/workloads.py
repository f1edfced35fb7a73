"""What every side is asked to do, and how it is timed: the same code for all of them.

A side is one process: it makes itself ready and does one run (the cold start), warms up each workload once, then repeats
the timed workloads and prints what it measured as one line of JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.figures import Measure, percentile
from bench.processes import memory

CLIENTS = 8
"""Threads that submit. Both sides gain from several: their commits are shared."""

MEASURES = (
    Measure("many", "runs of 3 no-op steps, submitted at once", "runs/s", more_is_better=True, digits=0),
    Measure("chain", "40 steps in sequence, fib(10) each", "ms", scale=1000),
    Measure("fan", "fan out to 100 steps and join", "ms", scale=1000),
    Measure("start_p50", "one run at a time: start of its first step, p50", "ms", scale=1000, digits=2),
    Measure("start_p99", "the same, p99", "ms", scale=1000, digits=2),
    Measure("end_p50", "one run at a time: to its recorded end, p50", "ms", scale=1000, digits=2),
    Measure("cold", "first finished run from a cold start", "s", digits=2),
    Measure("memory", "memory of all processes (PSS)", "MB", digits=0),
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: runs submitted at once, runs one at a time, and how often each workload is repeated."""

    runs: int = 200
    singles: int = 50
    repeats: int = 3


class Side(Protocol):
    """A system under test. Every method returns when the end of each run is recorded and was seen by the caller.

    A new one is ready for ``one``, and for nothing else yet: that is the cold start.
    """

    def prepare(self) -> None:
        """Make the other workloads ready."""

    def many(self, count: int) -> None:
        """So many runs of three no-op steps, submitted by ``CLIENTS`` threads."""

    def chain(self) -> None:
        """One run of 40 steps in sequence."""

    def fan(self) -> None:
        """One run of 100 steps at once, and one that needs them all."""

    def one(self) -> float:
        """One run of three steps; answers with the time (seconds since the epoch) at which its first step ran."""

    def pids(self) -> list[int]:
        """The processes whose memory counts, without their descendants."""

    def close(self) -> None:
        """Stop it."""


def timed(action: Any, *arguments: Any) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - started


def measured(side: Side, sizes: Sizes) -> dict[str, Any]:
    """All measures of a side that is ready, but for the cold start."""
    side.many(sizes.runs)
    side.chain()
    side.fan()
    starts, ends = [], []
    for _ in range(sizes.singles):
        asked = time.time()
        starts.append(side.one() - asked)
        ends.append(time.time() - asked)
    return {
        "many": [sizes.runs / timed(side.many, sizes.runs) for _ in range(sizes.repeats)],
        "chain": [timed(side.chain) for _ in range(sizes.repeats)],
        "fan": [timed(side.fan) for _ in range(sizes.repeats)],
        "start_p50": percentile(starts, 50),
        "start_p99": percentile(starts, 99),
        "end_p50": percentile(ends, 50),
        "memory": memory(side.pids()),
    }


def serve(make: Any) -> None:
    """The main program of a side: ``make(folder)`` gives it ready. Prints ``first`` (seconds since the epoch), then all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, default in dataclasses.asdict(Sizes()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    side: Side = make(given.folder)
    try:
        side.one()
        first = time.time()
        side.prepare()
        found = measured(side, Sizes(given.runs, given.singles, given.repeats))
        print(json.dumps({"first": first, **found}), flush=True)
    finally:
        side.close()
    os._exit(0)
