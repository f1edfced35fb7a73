"""Sluice and Argo Workflows on a cluster, side by side in one run: in turn, each on a fresh control plane, ratios.

    make bench-cluster                                    # about 40 minutes, and once more to build the programs
    python -m bench.cluster --rounds 1 --runs 500 --only "one step, Jobs" --json figures.json

API server, etcd, controller manager, scheduler, simulated nodes, both controllers and what plays the pods share this
machine's processors, so the figures are of the whole: what wins is who asks less of all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.adapters.postgres.server import running
from tests.cluster.processes import ProcessError

from bench.cluster_argo import argo
from bench.cluster_site import Site, site
from bench.cluster_sluice import sluice
from bench.machine import machine

PEER = {
    "one step, Jobs": "Argo, one step",
    "one step, Pods": "Argo, one step",
    "one step, Jobs, PostgreSQL": "Argo, one step",
    "three steps, Jobs": "Argo, three steps",
    "three steps, Pods": "Argo, three steps",
}
"""Whom each of ours is set against."""
ATTEMPTS = 3
RESTED_S = 5.0
COLUMNS: list[tuple[str, Callable[[dict[str, Any]], float | None], int]] = [
    ("a minute", lambda one: one["per_minute"], 0),
    ("all programs' CPU ms", lambda one: one["whole"], 0),
    ("API server's", lambda one: one["ms"]["kube-apiserver"], 0),
    ("controller's", lambda one: one["ms"]["controller"], 1),
    ("controller MB", lambda one: one["megabytes"], 0),
    ("API requests, all", lambda one: one["requests_all"], 1),
    ("controller's", lambda one: one.get("own_requests"), 1),
    ("load", lambda one: one["load"], 1),
]
"""Each is for one run, but for the first, the memory and the load of the machine."""

Scenario = Callable[[Site, str, int], dict[str, Any]]


def _sluice(of: str, launch: str, *, paced: bool = False) -> Scenario:
    def measure(where: Site, name: str, count: int) -> dict[str, Any]:
        with sluice(where, name, launch=launch) as side:
            slow = side.paced() if paced else {}
            return side.many(of, count) | slow

    return measure


def _on_postgresql(where: Site, name: str, count: int) -> dict[str, Any]:
    """As durable as on SQLite."""
    with running(fsync="on", full_page_writes="on") as server:
        told = dict(part.split("=") for part in server.url.split())
        ledger = f"postgresql:///{told['dbname']}?host={told['host']}&user={told['user']}"
        with sluice(where, name, ledger=ledger) as side:
            return side.many("one", count)


def _argo(steps: int) -> Scenario:
    def measure(where: Site, name: str, count: int) -> dict[str, Any]:
        with argo(where, name) as side:
            return side.many(steps, count)

    return measure


SCENARIOS: dict[str, Scenario] = {
    "one step, Jobs": _sluice("one", "Job", paced=True),
    "Argo, one step": _argo(1),
    "one step, Pods": _sluice("one", "Pod", paced=True),
    "one step, Jobs, PostgreSQL": _on_postgresql,
    "three steps, Jobs": _sluice("three", "Job"),
    "three steps, Pods": _sluice("three", "Pod"),
    "Argo, three steps": _argo(3),
}


def measure(chosen: dict[str, Scenario], rounds: int, count: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All rounds, the scenarios in turn, each on a control plane of its own: nobody pays for what another has left."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for number in range(1, rounds + 1):
        for place, (name, scenario) in enumerate(chosen.items()):
            told = _tried(scenario, folder / f"{number}-{place}", count)
            found[name].append(told | {"whole": sum(told["ms"].values())})
            say(f"round {number}/{rounds}, {name}: {told['per_minute']:.0f}/min; {json.dumps(found[name][-1])}")
    return found


def _tried(scenario: Scenario, folder: Path, count: int) -> dict[str, Any]:
    """A scenario on a fresh control plane. On a machine too busy a controller may lose its lease, and end: then once more."""
    for attempt in range(ATTEMPTS):
        try:
            with site(folder / str(attempt)) as where:
                time.sleep(RESTED_S)
                load = os.getloadavg()[0]
                told = scenario(where, "bench", count)
            return told | {"load": (load + os.getloadavg()[0]) / 2}
        except (ProcessError, TimeoutError) as error:
            say(f"begun anew: {error}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise RuntimeError(f"it failed {ATTEMPTS} times; see above")


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Medians, least and most; and how many times better than the peer in the same round: in runs a minute, and in what a
    run costs all programs together, which says the same on a machine that is busy with other things."""
    rows = [[""] + [title for title, _, _ in COLUMNS] + ["times Argo", "times Argo, by cost"]]
    rows.append(["---"] * len(rows[0]))
    for name, rounds in found.items():
        cells = [
            _shown([value for one in rounds if (value := take(one)) is not None], digits) for _, take, digits in COLUMNS
        ]
        peers = found.get(PEER.get(name, ""), [])
        pairs = list(zip(rounds, peers, strict=False))
        faster = [own["per_minute"] / other["per_minute"] for own, other in pairs]
        cheaper = [other["whole"] / own["whole"] for own, other in pairs]
        rows.append([name, *cells, _shown(faster, 2), _shown(cheaper, 2)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _shown(values: list[float], digits: int = 0) -> str:
    if not values:
        return ""
    least, most = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def say(line: str) -> None:
    """Progress, at once."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, then print the table; ``--json`` writes all figures down."""
    parser = argparse.ArgumentParser(description="Sluice beside Argo Workflows on a cluster of simulated nodes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=1000, help="of each scenario in each round")
    parser.add_argument("--only", choices=[*SCENARIOS], action="append", help="only this scenario; may be repeated")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--data", type=Path, default=Path("build/bench"), help="a folder on the disk to be measured")
    given = parser.parse_args()
    chosen = {name: scenario for name, scenario in SCENARIOS.items() if not given.only or name in given.only}
    given.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.data.absolute()) as name:
        before = machine(Path(name))
        found = measure(chosen, given.rounds, given.runs, Path(name))
    print(f"\n{before}\n\n{table(found)}\n")
    if given.json:
        given.json.write_text(json.dumps({"machine": before, "runs": given.runs, "rounds": found}, indent=1))


if __name__ == "__main__":
    main()
