"""What a Rollout's fields ask of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sluice.domain.definition.validation.findings import Code, Finding, join, warning
from sluice.domain.definition.validation.values import check_duration
from sluice.domain.durations import microseconds


def check_rollout(rollout: Mapping[str, Any]) -> Iterator[Finding]:
    """Every finding about a Rollout of the right shape."""
    spec = rollout["spec"]
    percent, steps = spec.get("percent"), spec.get("steps")
    if percent is None and steps is None:
        yield Finding("spec", "it says not how far to go; write percent, or steps", code=Code.MISSING)
    elif percent is not None and steps is not None:
        yield Finding("spec.steps", "percent and steps are two ways to say it; keep one", code=Code.ONE_OF)
    yield from _check_walk(steps or [])
    for index, step in enumerate(steps or ()):
        yield from _check_step(step, join("spec.steps", index))
    for key, entry in (spec.get("promotions") or {}).items() if steps else ():
        if entry["step"] > len(steps):
            message = f"the last step has number {len(steps) - 1}; write a number up to {len(steps)}"
            yield Finding(join("spec.promotions", key, "step"), message, code=Code.OUT_OF_BOUNDS)


def _check_walk(steps: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """Percentages never fall, and the last is 100, or the version never becomes the stable one."""
    before = Decimal(0)
    for index, step in enumerate(steps):
        percent = Decimal(str(step["percent"]))
        if percent < before:
            message = f"{percent} is less than the {before} of the step before; a walk only goes up"
            yield Finding(join("spec.steps", index, "percent"), message, code=Code.CONFLICT)
        before = max(before, percent)
    if steps and before < 100:
        message = f"the walk ends at {before}, so no version ever becomes the stable one; end it with percent: 100"
        yield warning(join("spec.steps", len(steps) - 1, "percent"), message, Code.INCOMPLETE_ROLLOUT)


def _check_step(step: Mapping[str, Any], field: str) -> Iterator[Finding]:
    pause, gate = step.get("pause") or {}, step.get("gate") or {}
    yield from check_duration(pause.get("duration"), join(field, "pause", "duration"))
    for key in ("maxWait", "slow"):
        yield from check_duration(gate.get(key), join(field, "gate", key))
    if gate.get("maxWait") is not None and pause.get("duration") is not None:
        try:
            too_short = microseconds(gate["maxWait"]) < microseconds(pause["duration"])
        except ValueError:
            return
        if too_short:
            message = f"the gate gives up before the pause of {pause['duration']} is over; raise maxWait"
            yield Finding(join(field, "gate", "maxWait"), message, code=Code.CONFLICT)
