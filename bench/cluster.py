"""Sluice and Argo Workflows on a cluster, side by side: one fresh control plane a round, the sides in turn, ratios.

    make bench-cluster                                    # about 15 minutes, and once more to build the programs
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

from bench.cluster_argo import argo
from bench.cluster_site import Site, site
from bench.cluster_sluice import sluice
from bench.machine import machine

PEER = {
    "one step, Jobs": "Argo, one step",
    "one step, Pods": "Argo, one step",
    "three steps, Jobs": "Argo, three steps",
}
"""Whom each of ours is set against."""
RESTED_S = 5.0

Scenario = Callable[[Site, str, int], dict[str, Any]]


def _sluice(of: str, launch: str, *, paced: bool = False) -> Scenario:
    def measure(where: Site, name: str, count: int) -> dict[str, Any]:
        with sluice(where, name, launch=launch) as side:
            slow = side.paced() if paced else {}
            return side.many(of, count) | slow

    return measure


def _argo(steps: int) -> Scenario:
    def measure(where: Site, name: str, count: int) -> dict[str, Any]:
        with argo(where, name) as side:
            return side.many(steps, count)

    return measure


SCENARIOS: dict[str, Scenario] = {
    "one step, Jobs": _sluice("one", "Job", paced=True),
    "Argo, one step": _argo(1),
    "one step, Pods": _sluice("one", "Pod", paced=True),
    "three steps, Jobs": _sluice("three", "Job"),
    "Argo, three steps": _argo(3),
}


def measure(chosen: dict[str, Scenario], rounds: int, count: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All rounds; each on a control plane of its own, its scenarios one after the other."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for number in range(1, rounds + 1):
        with site(folder / f"round-{number}") as where:
            for place, (name, scenario) in enumerate(chosen.items()):
                time.sleep(RESTED_S)
                load = os.getloadavg()[0]
                told = scenario(where, f"side-{number}-{place}", count) | {"load": load}
                found[name].append(told)
                say(f"round {number}/{rounds}, {name}: {told['per_minute']:.0f}/min; {json.dumps(told)}")
        shutil.rmtree(folder / f"round-{number}", ignore_errors=True)
    return found


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Medians, and how many times as many runs a minute as the peer had in the same round."""
    head = [
        "",
        "a minute",
        "times Argo",
        "controller MB",
        "controller CPU ms",
        "API server CPU ms",
        "own requests",
        "load",
    ]
    rows = [head, ["---"] * len(head)]
    for name, rounds in found.items():
        count = [one["per_minute"] for one in rounds]
        rows.append(
            [
                name,
                _shown(count),
                _shown(ratios(rounds, found.get(PEER.get(name, ""), [])), 2),
                _shown([one["megabytes"] for one in rounds]),
                _shown([one["ms"]["controller"] for one in rounds], 1),
                _shown([one["ms"]["kube-apiserver"] for one in rounds], 1),
                _shown([one["own_requests"] for one in rounds if "own_requests" in one], 1),
                _shown([one["load"] for one in rounds], 1),
            ]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def ratios(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[float]:
    """Round by round."""
    return [own["per_minute"] / other["per_minute"] for own, other in zip(ours, theirs, strict=False)]


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
