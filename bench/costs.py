"""Where the time of a run goes: writes and syncs, reconciles, each thread and process, parses and hand-overs.

Times on a processor come from the kernel's accounts, so they are what was spent, not how long it took. Parses are
counted in a second pass, by wrapping the JSON library: counting costs time itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.processes import Spent, descendants, parents, spent, spent_by_thread

RUNS = 200
PASSES = 3


def costs(folder: Path) -> dict[str, Any]:
    """Measured in a process of its own over a new ``folder``."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "bench.costs", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "lines": lines(found)}


def lines(found: dict[str, Any]) -> list[str]:
    """What was found, in words."""
    parts = ", ".join(f"{name} {value:.0f}" for name, value in sorted(found["threads_us"].items(), key=lambda i: -i[1]))
    return [
        f"{found['operations']:.1f} operations in {found['commits']:.2f} commits; "
        f"{found['committing_us']:.0f} µs of syncs, {found['operating_us']:.0f} µs of writing",
        f"{found['reconciles']:.2f} reconciles",
        f"{found['controller_us']:.0f} µs of the controller's processor time (of it, by thread: {parts})",
        f"{found['children_us']:.0f} µs of its processes' (runner, workers)",
        f"{found['handovers']:.1f} waits of the controller's threads, {found['child_waits']:.1f} of its processes",
        f"{found['parses']:.1f} parses of {found['parsed_bytes']:.0f} bytes and {found['encodes']:.1f} encodes of JSON",
    ]


class Accounts:
    """What this process, its threads and its children have spent so far, with Sluice's own counters."""

    def __init__(self, embedded: Any) -> None:
        own = os.getpid()
        counters = embedded.writer.counters
        self.counters = {name: getattr(counters, name) for name in ("operations", "commits", "committing", "operating")}
        metrics = embedded.system.metrics
        self.reconciles = sum(n for (name, _), n in metrics.counts.items() if name == "workflowrun")
        self.own = spent(own)
        self.threads: dict[str, Spent] = {}
        for thread in threading.enumerate():
            name = thread.name.rstrip("0123456789_-")
            self.threads[name] = self.threads.get(name, Spent()) + spent_by_thread(own, thread.native_id or 0)
        self.children = Spent()
        for pid in descendants([own], parents()) - {own}:
            self.children += spent(pid)


def between(before: Accounts, after: Accounts, runs: int) -> dict[str, Any]:
    """The difference, per run; times in microseconds."""
    spans = {name: (after.counters[name] - before.counters[name]) / runs for name in after.counters}
    own, children = after.own - before.own, after.children - before.children
    return {
        "operations": spans["operations"],
        "commits": spans["commits"],
        "committing_us": spans["committing"] * 1e6,
        "operating_us": spans["operating"] * 1e6,
        "reconciles": (after.reconciles - before.reconciles) / runs,
        "controller_us": own.seconds * 1e6 / runs,
        "children_us": children.seconds * 1e6 / runs,
        "handovers": own.waits / runs,
        "child_waits": children.waits / runs,
        "threads_us": {
            name: (total - before.threads.get(name, Spent())).seconds * 1e6 / runs
            for name, total in after.threads.items()
        },
    }


class Counted:
    """Counts the calls of the JSON library in this process, once ``install`` was called."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()

    def install(self) -> None:
        """From now on. Never taken back: the process is for counting."""
        import orjson

        def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def counted(value: Any, *arguments: Any, **options: Any) -> Any:
                self.totals[name] += 1
                if name == "parses":
                    self.totals["parsed_bytes"] += len(value)
                return call(value, *arguments, **options)

            return counted

        orjson.loads = counting("parses", orjson.loads)
        orjson.dumps = counting("encodes", orjson.dumps)


def main() -> None:
    """Measure over a folder and print one line of JSON."""
    from bench.sluice_embedded import SluiceEmbedded

    parser = argparse.ArgumentParser(description="what one run of three steps costs")
    parser.add_argument("folder", type=Path)
    side = SluiceEmbedded(parser.parse_args().folder)
    try:
        side.prepare()
        side.many(RUNS)
        before = Accounts(side.embedded)
        for _ in range(PASSES):
            side.many(RUNS)
        found = between(before, Accounts(side.embedded), RUNS * PASSES)
        counted = Counted()
        counted.install()
        side.many(RUNS)
        found |= {name: counted.totals[name] / RUNS for name in ("parses", "parsed_bytes", "encodes")}
        print(json.dumps(found), flush=True)
    finally:
        side.close()
    os._exit(0)


if __name__ == "__main__":
    main()
