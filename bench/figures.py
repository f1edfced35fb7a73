"""The arithmetic of a comparison: percentiles, medians with their spread, ratios, and a table of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure that both sides are measured by. ``scale`` turns what was measured into ``unit``."""

    name: str
    title: str
    unit: str
    scale: float = 1.0
    more_is_better: bool = False
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of all samples, and the best and worst of them by value."""

    median: float
    least: float
    most: float


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 100) of the values do not exceed, by nearest rank. ValueError without values."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 100)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """Median, least and most. ValueError without values."""
    if not values:
        raise ValueError("a spread needs at least one value")
    return Spread(statistics.median(values), min(values), max(values))


def ratio(ours: float, theirs: float, *, more_is_better: bool) -> float:
    """How many times better ``ours`` is than ``theirs``; below 1 it is worse. Infinite where we cost nothing."""
    better, worse = (ours, theirs) if more_is_better else (theirs, ours)
    return better / worse if worse else float("inf")


def pooled(rounds: Sequence[Mapping[str, Any]], measure: Measure) -> list[float]:
    """All samples of one measure over the rounds of a side, in the measure's unit; empty if it was not measured."""
    found: list[float] = []
    for one in rounds:
        value = one.get(measure.name)
        if value is not None:
            found += [sample * measure.scale for sample in (value if isinstance(value, list) else [value])]
    return found


def compared(
    sides: Mapping[str, Sequence[Mapping[str, Any]]], measures: Sequence[Measure], peer: str
) -> list[dict[str, Any]]:
    """One record per measure: the spread of each side, and of all but ``peer`` the spread of its ratios to the peer.

    A ratio is taken within each round, of the two medians there: noise that lasts for a round meets both sides, while
    medians over all rounds would set one side's quiet rounds against the other's loud ones.
    """
    records = []
    for measure in measures:
        spreads = {side: spread(values) for side, rounds in sides.items() if (values := pooled(rounds, measure))}
        ratios = {
            side: spread(paired)
            for side, rounds in sides.items()
            if side != peer and (paired := _paired(rounds, sides.get(peer, ()), measure))
        }
        records.append({"measure": measure, "spreads": spreads, "ratios": ratios})
    return records


def _paired(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], measure: Measure) -> list[float]:
    """The ratio of each round in which both sides were measured."""
    pairs = ((pooled([own], measure), pooled([other], measure)) for own, other in zip(ours, theirs, strict=False))
    return [
        ratio(statistics.median(own), statistics.median(other), more_is_better=measure.more_is_better)
        for own, other in pairs
        if own and other
    ]


def table(records: Sequence[Mapping[str, Any]], sides: Sequence[str], peer: str) -> str:
    """The comparison as a Markdown table: median (least to most), and how many times better than the peer by round."""
    ours = [side for side in sides if side != peer]
    head = ["", *sides, *(f"{side} : {peer}" for side in ours)]
    rows = [head, ["---"] * len(head)]
    for record in records:
        measure: Measure = record["measure"]
        cells = [f"{measure.title}, {measure.unit}"]
        cells += [_shown(record["spreads"].get(side), measure.digits) for side in sides]
        cells += [_shown(record["ratios"].get(side), 1) for side in ours]
        rows.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _shown(value: Spread | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value.median:.{digits}f} ({value.least:.{digits}f} to {value.most:.{digits}f})"
