"""Sluice and DBOS on SQLite, side by side: A B A B in one run, each in a process of its own, medians and ratios.

    make bench                                  # or, in an environment with the extra `bench`:
    python -m bench.embedded --rounds 5 --json figures.json

Machines differ and are noisy, so read the ratios; the two sides alternate so that noise meets both.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.costs import costs
from bench.figures import compared, table
from bench.machine import machine
from bench.workloads import MEASURES, Sizes

PEER = "DBOS"
SIDES = {"Sluice": "bench.sluice_embedded", "Sluice over HTTP": "bench.sluice_http", PEER: "bench.dbos_sqlite"}


def one_round(module: str, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """One side in a process of its own over a new folder. RuntimeError when it fails."""
    folder.mkdir(parents=True)
    options = [f"--{name}={value}" for name, value in dataclasses.asdict(sizes).items()]
    started = time.time()
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder), *options], stdout=subprocess.PIPE, text=True, check=False
    )
    shutil.rmtree(folder, ignore_errors=True)
    if done.returncode or not done.stdout.strip():
        raise RuntimeError(f"{module} ended with {done.returncode} and said {done.stdout!r}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["cold"] = found.pop("first") - started
    return found


def measure(sides: dict[str, str], rounds: int, sizes: Sizes, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All rounds, the sides in turn."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for number in range(1, rounds + 1):
        for side, module in sides.items():
            one = one_round(module, folder / f"{module}-{number}", sizes)
            found[side].append(one)
            rates = ", ".join(f"{rate:.0f}" for rate in one["many"])
            print(f"round {number}/{rounds}, {side}: {rates} runs/s", file=sys.stderr, flush=True)
    return found


def report(rounds: dict[str, list[dict[str, Any]]], folder: Path) -> dict[str, Any]:
    """Everything that is told of a run of this program, ready for JSON."""
    records = compared(rounds, MEASURES, PEER)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(folder),
        "measures": [
            {
                "name": record["measure"].name,
                "unit": record["measure"].unit,
                "sides": {side: dataclasses.asdict(value) for side, value in record["spreads"].items()},
                "ratios": {side: dataclasses.asdict(value) for side, value in record["ratios"].items()},
            }
            for record in records
        ],
        "rounds": rounds,
        "table": table(records, list(rounds), PEER),
    }


def main() -> None:
    """Measure, then print the table, what a run costs, and (``--json``) write it all down."""
    parser = argparse.ArgumentParser(description="Sluice beside DBOS on SQLite")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=Sizes().repeats, help="of each workload within a round")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--data", type=Path, default=Path("build/bench"), help="a folder on the disk to be measured")
    parser.add_argument("--only", choices=[*SIDES], action="append", help="only this side; may be repeated")
    given = parser.parse_args()
    sides = {side: module for side, module in SIDES.items() if not given.only or side in given.only}
    given.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.data) as name:
        folder = Path(name)
        rounds = measure(sides, given.rounds, Sizes(repeats=given.repeats), folder)
        told = report(rounds, folder)
        told["costs"] = costs(folder / "costs")
    print(f"\n{told['machine']}\n\n{told['table']}\n")
    print("What one run of three steps costs:")
    for line in told["costs"]["lines"]:
        print(f"  {line}")
    if given.json:
        given.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
