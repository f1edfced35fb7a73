"""What a gate says of the candidate's runs: each environment is judged by itself, and no data is never a pass.

A verdict of Failed comes as soon as no further run could turn it: then waiting would only cost more failures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sluice.api.rollout import Gate
from sluice.domain import durations
from sluice.domain.rollouts.facts import EnvironmentFacts
from sluice.domain.routing.dealing import GateSample
from sluice.domain.routing.quota import FULL, percent_hundredths, percent_text
from sluice.domain.timestamps import EPOCH, stamp, to_micros

POLL: Final = dt.timedelta(seconds=10)
"""How often a waiting gate is looked at, should nobody say that a run ended."""
GRACE: Final = dt.timedelta(minutes=10)
"""So long a step may go without runs before it is said to starve; half of ``maxWait`` where that is shorter."""
FAR: Final = dt.timedelta(days=1)
"""Without ``maxWait``: an end that is further away is starving."""
FEWEST_ERRORS: Final = 3


@dataclass(frozen=True, slots=True)
class Passed:
    """The candidate showed what was asked."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The candidate is worse than allowed."""

    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """It can't be told yet. ``starving`` is empty, or says when enough runs are to be expected; ``expired``: ``maxWait``
    is over."""

    message: str
    look_again: dt.datetime
    starving: str = ""
    expired: bool = False


Verdict = Passed | Failed | Waiting


def judged_environments(gate: Gate, environments: Sequence[EnvironmentFacts]) -> list[str]:
    """The ones the gate names, else the Active Production ones, else the Active ones, else all."""
    if gate.environments is not None:
        return sorted(set(gate.environments))
    active = [environment for environment in environments if environment.active]
    production = [environment for environment in active if environment.production]
    return sorted(environment.name for environment in production or active or environments)


def evaluate(gate: Gate, samples: Mapping[str, GateSample], step_started: dt.datetime, now: dt.datetime) -> Verdict:
    """The verdict over all environments: one failure fails, all must pass."""
    judge = _Judge(gate, step_started, now)
    verdicts = [judge.verdict(name, sample) for name, sample in sorted(samples.items())]
    failures = [verdict for verdict in verdicts if isinstance(verdict, Failed)]
    if failures:
        return failures[0]
    waiting = [verdict for verdict in verdicts if isinstance(verdict, Waiting)]
    if waiting:
        return _together(waiting)
    if not verdicts:
        return judge.wait("there is no environment whose runs could be looked at", missing=gate.min_runs, rate=0.0)
    return Passed("; ".join(verdict.message for verdict in verdicts))


@dataclass(frozen=True, slots=True)
class _Judge:
    gate: Gate
    step_started: dt.datetime
    now: dt.datetime

    def verdict(self, environment: str, sample: GateSample) -> Verdict:
        """What one environment's sample says."""
        slow = self._slow_after(sample)
        overdue = [start for start in sample.open_starts if slow and to_micros(self.now) - start > slow]
        still_open = [start for start in sample.open_starts if start not in overdue]
        failed = sample.failed + len(overdue)
        ended = sample.succeeded + failed

        trouble = _errors(sample) or self._failures(sample, failed, ended)
        if trouble:
            return Failed(f"{environment}: {trouble}{_slow_note(overdue)}")
        if sample.started >= self.gate.min_runs and not still_open and ended:
            return Passed(f"{environment}: {failed} of {ended} runs failed")

        missing = max(0, self.gate.min_runs - sample.started)
        message = (
            f"{environment}: {ended} of {self.gate.min_runs} runs ended, {failed} failed, {len(still_open)} running"
        )
        soonest = (dt.timedelta(microseconds=slow - to_micros(self.now) + start + 1) for start in still_open if slow)
        return self.wait(message, missing=missing, rate=sample.rate_per_hour, within=soonest)

    def wait(self, message: str, *, missing: int, rate: float, within: Iterable[dt.timedelta] = ()) -> Waiting:
        """Wait on, and say so loudly if the runs that are missing won't come in time."""
        elapsed = self.now - self.step_started
        limit = durations.bounded(self.gate.max_wait) if self.gate.max_wait else None
        grace = min(GRACE, limit / 2) if limit else GRACE
        hours = min(missing / rate, 24.0 * 3650) if rate > 0 else None
        rest = limit - elapsed if limit is not None else FAR
        late = missing > 0 and (hours is None or dt.timedelta(hours=hours) > rest)
        expired = limit is not None and elapsed >= limit
        starving = ""
        if expired or (late and elapsed >= grace):
            starving = f"{message}; {self._expected(missing, hours)}"
        next_look = min([POLL, *(span for span in (grace - elapsed, rest, *within) if span > dt.timedelta(0))])
        return Waiting(message, self.now + next_look, starving, expired)

    def _expected(self, missing: int, hours: float | None) -> str:
        if not missing:
            return "all runs of the sample have started, some have not ended"
        if hours is None:
            return f"{missing} more are needed and none start, so no end can be told"
        return f"{missing} more are needed, expected by {stamp(_quarter_after(self.now + dt.timedelta(hours=hours)))}"

    def _slow_after(self, sample: GateSample) -> int:
        if self.gate.slow is not None:
            return durations.bounded(self.gate.slow) // dt.timedelta(microseconds=1)
        return 2 * sample.stable_p95

    def _failures(self, sample: GateSample, failed: int, ended: int) -> str:
        """Too many failures; over at least ``minRuns``, so that an early failure counts only for what it must come to."""
        runs = max(ended, self.gate.min_runs) if sample.started < self.gate.min_runs or sample.open_starts else ended
        if not failed:
            return ""
        for allowed, words in self._bounds(sample):
            if failed * FULL > allowed * runs:
                return f"{failed} of {runs} runs failed ({_share(failed, runs)} %), allowed are {words}"
        return ""

    def _bounds(self, sample: GateSample) -> list[tuple[int, str]]:
        bounds = []
        gate = self.gate
        if gate.compared_to_stable is not None:
            points = percent_hundredths(gate.compared_to_stable)
            stable = sample.stable_failed * FULL // sample.stable_ended if sample.stable_ended else 0
            known = (
                f"the stable version's {percent_text(stable)} %" if sample.stable_ended else "0 % (stable had no runs)"
            )
            bounds.append((stable + points, f"{percent_text(points)} points over {known}"))
        if gate.max_failure_rate is not None or not bounds:
            allowed = percent_hundredths(gate.max_failure_rate or 0)
            bounds.append((allowed, f"{percent_text(allowed)} %"))
        return bounds


def _errors(sample: GateSample) -> str:
    """Errors are nobody's failure, unless the candidate has a larger share of them than stable."""
    candidate = (sample.errors, sample.errors + sample.succeeded + sample.failed)
    stable = (sample.stable_errors, sample.stable_errors + sample.stable_ended)
    if sample.errors < FEWEST_ERRORS or candidate[0] * max(1, stable[1]) <= stable[0] * candidate[1]:
        return ""
    return f"{candidate[0]} of {candidate[1]} runs ended in Error, on the stable version {stable[0]} of {stable[1]}"


def _slow_note(overdue: Sequence[int]) -> str:
    return f"; {len(overdue)} of them still run and are counted as failed for being slow" if overdue else ""


def _share(part: int, whole: int) -> str:
    return percent_text(part * FULL // whole)


def _together(waiting: Sequence[Waiting]) -> Waiting:
    return Waiting(
        message="; ".join(verdict.message for verdict in waiting),
        look_again=min(verdict.look_again for verdict in waiting),
        starving="; ".join(verdict.starving for verdict in waiting if verdict.starving),
        expired=any(verdict.expired for verdict in waiting),
    )


def _quarter_after(moment: dt.datetime) -> dt.datetime:
    """An estimate to the quarter of an hour: a finer one would have the status written at every look."""
    quarter = dt.timedelta(minutes=15)
    return EPOCH + -((EPOCH - moment) // quarter) * quarter
