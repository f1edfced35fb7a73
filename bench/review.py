"""What a review of a definition costs: what the validating webhook and every publish wait for.

    python -m bench.review
    python -m bench.review --rounds 30 --json review.json

Each shape stresses another part of validation, and each size is a number of steps. ``new`` is a definition of which nothing was
seen before, ``edited`` one that was reviewed a moment ago and of which one step has changed since. Beside the time that passed
stands the processor's, which says more where other programs are running.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from bench.definitions import workflow
from bench.figures import percentile
from bench.machine import machine
from sluice.domain.definition.validation.objects import validate_object

SIZES = (10, 100, 500)
ROUNDS = 15
WARM_UP = 2

CONDITIONS = (
    "payload.FIELD > NUMBER",
    "has(payload.FIELD) && payload.n > NUMBER",
    "payload.kind in ['FIELD', 'b']",
    "payload.FIELD.exists(row, row.id == NUMBER)",
    "payload.FIELD == 'NUMBER' || env.name == 'live'",
    "trigger.headers['FIELD'] != ''",
)
"""What requests are made to depend on, by turns."""

Json = dict[str, Any]
Shape = Callable[[int, str], list[Json]]
"""So many steps, called by a prefix of their own; two prefixes share no expression and no code."""


def cel(count: int, prefix: str) -> list[Json]:
    """Requests, each with a condition and two expressions over the step before it."""
    return [_request(at, prefix, [f"{prefix}{at - 1}"] if at else []) for at in range(count)]


def code(count: int, prefix: str) -> list[Json]:
    """Python steps of five lines, each after the one before."""
    return [_python(at, prefix, [f"{prefix}{at - 1}"] if at else []) for at in range(count)]


def branches(count: int, prefix: str) -> list[Json]:
    """Switches one after the other, each with two ways on; the last step handles the errors of all."""
    steps = []
    for at in range(count - 1):
        following = [f"{prefix}{to}" for to in (at + 1, at + 2) if to < count]
        cases = [{"when": f"${{ payload.kind == '{prefix}{at}' }}", "next": following[:1]}]
        switch = {"switch": {"cases": cases, "default": following[-1:]}}
        steps.append({"name": f"{prefix}{at}", "onError": {"goto": f"{prefix}{count - 1}"}, "logic": switch})
    return [*steps, _python(count - 1, prefix, [])]


def mixed(count: int, prefix: str) -> list[Json]:
    """Requests and Python steps by turns, each after two others."""
    make = (_request, _python)
    before = [sorted({to for to in (at // 2, at - 1) if 0 <= to < at}) for at in range(count)]
    return [make[at % 2](at, prefix, [f"{prefix}{to}" for to in before[at]]) for at in range(count)]


SHAPES: Mapping[str, Shape] = MappingProxyType({"cel": cel, "code": code, "branches": branches, "mixed": mixed})


def review(shape: Shape, count: int, rounds: int) -> Json:
    """Milliseconds that passed and that were the processor's, in each round, and the size of the definition in bytes."""
    editions = itertools.count()
    told: Json = {kind: {"passed": [], "spent": []} for kind in ("new", "edited")}
    for round_ in range(-WARM_UP, rounds):
        obj = workflow("review", shape(count, f"e{next(editions)}s"))
        for kind in ("new", "edited"):
            passed, spent = _timed(obj)
            if round_ >= 0:
                told[kind]["passed"].append(passed)
                told[kind]["spent"].append(spent)
            obj["spec"]["definition"]["steps"][count // 2]["when"] = f"${{ payload.edition == {next(editions)} }}"
        told["bytes"] = len(orjson.dumps(obj["spec"]["definition"]))
    return told


def lines(told: Mapping[str, Mapping[int, Json]]) -> Iterator[str]:
    """A table of the medians."""
    yield "| shape | steps | KiB | new, p50 ms | of it the processor's | edited, p50 ms | of it the processor's |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, sizes in told.items():
        for count, found in sizes.items():
            samples = (found[kind][key] for kind in ("new", "edited") for key in ("passed", "spent"))
            medians = (f"{percentile(each, 50):.1f}" for each in samples)
            yield f"| {name} | {count} | {found['bytes'] / 1024:.0f} | {' | '.join(medians)} |"


def _request(at: int, prefix: str, needs: list[str]) -> Json:
    seen = f"steps.{needs[0]}.output" if needs else "payload"
    http = {
        "method": "POST",
        "url": f"https://example.com/${{ {seen}.?id.orValue('{at}') }}",
        "body": {"n": f"${{ {seen}.?n.orValue({at}) + {at} }}"},
    }
    when = CONDITIONS[at % len(CONDITIONS)].replace("FIELD", f"{prefix}_{at}").replace("NUMBER", str(at))
    return {"name": f"{prefix}{at}", "needs": needs, "when": f"${{ {when} }}", "action": {"http": http}}


def _python(at: int, prefix: str, needs: list[str]) -> Json:
    seen = f"steps['{needs[0]}']['output']" if needs else "payload"
    text = f"rows = {seen}\ntotal = {at}\nfor row in rows or []:\n    total += len(str(row))\noutput = {{'{prefix}': total}}"
    return {"name": f"{prefix}{at}", "needs": needs, "action": {"python": {"code": text}}}


def _timed(obj: Json) -> tuple[float, float]:
    gc.collect()
    started, worked = time.perf_counter(), time.process_time()
    found = validate_object(obj)
    passed, spent = time.perf_counter() - started, time.process_time() - worked
    if any(finding.is_error for finding in found):
        raise RuntimeError(f"the definition is not valid: {found[0]}")
    return passed * 1e3, spent * 1e3


def main() -> None:
    """Measure and print; ``--json`` writes the samples down."""
    parser = argparse.ArgumentParser(description="reviewing definitions")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, help="write all samples here")
    given = parser.parse_args()
    told = {name: {count: review(shape, count, given.rounds) for count in SIZES} for name, shape in SHAPES.items()}
    with tempfile.TemporaryDirectory() as folder:
        print(machine(Path(folder)))
    print("\n".join(lines(told)))
    if given.json:
        given.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
