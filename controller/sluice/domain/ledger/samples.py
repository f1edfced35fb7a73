"""What gates and statuses are decided from, folded from rows. Times are microseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sluice.domain.ledger.records import RunMetrics
from sluice.domain.routing.dealing import GateSample

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
P95_SAMPLE: Final = 200
"""So many of the newest runs are looked at for a version's usual duration."""
RATE_SPAN: Final = 6 * HOUR
"""How far back the rate of starts is looked at."""


def gate_sample(
    candidates: Sequence[tuple[str, int, int]],
    stable_by_phase: Mapping[str, int],
    *,
    errors: int,
    recent: int,
    stable_p95: int,
    now: int,
) -> GateSample:
    """``candidates`` are (phase, ended, started) of the sample; ``recent`` is how many started within ``RATE_SPAN``."""
    first = min((started for _, _, started in candidates), default=now)
    hours = max(min(now - first, RATE_SPAN), HOUR // 60) / HOUR
    succeeded, failed = stable_by_phase.get("Succeeded", 0), stable_by_phase.get("Failed", 0)
    return GateSample(
        started=len(candidates),
        succeeded=sum(1 for phase, _, _ in candidates if phase == "Succeeded"),
        failed=sum(1 for phase, _, _ in candidates if phase == "Failed"),
        errors=errors,
        open_starts=tuple(started for _, ended, started in candidates if not ended),
        stable_ended=succeeded + failed,
        stable_failed=failed,
        stable_errors=stable_by_phase.get("Error", 0),
        stable_p95=stable_p95,
        rate_per_hour=recent / hours,
    )


def percentile_95(took: Iterable[int]) -> int:
    """The 95th percentile of some durations; 0 of none."""
    ordered = sorted(took)
    return ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)] if ordered else 0


def run_metrics(last: Sequence[Any] | None, spans: Sequence[Any]) -> RunMetrics:
    """``last`` is (created, phase) of the newest run that counts, if there is one. ``spans`` are how many succeeded and
    ended in 30 days and started in 7, and the first hour (or None) that the one span and the other hold."""
    succeeded, ended, started, of_month, of_week = spans
    fades = [hour * HOUR + span for hour, span in ((of_month, 30 * DAY), (of_week, 7 * DAY)) if hour is not None]
    return RunMetrics(
        last_run=last[0] if last else 0,
        last_phase=last[1] if last else "",
        succeeded_30d=int(succeeded),
        ended_30d=int(ended),
        started_7d=int(started),
        fades=min(fades, default=0),
    )
