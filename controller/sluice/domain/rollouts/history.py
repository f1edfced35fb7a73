"""What became of each version's rollout, and which digests were stable until when; the newest 50 of each."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sluice.api.reasons import Reason
from sluice.api.rollout import Candidate, HistoryEntry, Outcome, RolloutStatus, StableEntry, VersionMark
from sluice.domain import durations
from sluice.domain.conditions import capped
from sluice.domain.timestamps import fine_stamp, parse_stamp, stamp

KEPT: Final = 50
Why = tuple[Reason, str]


def opened(status: RolloutStatus, candidate: Candidate, now: dt.datetime) -> None:
    """Begin the entry of a candidate's attempt."""
    _add(
        status,
        HistoryEntry(
            number=candidate.number,
            version=candidate.version,
            outcome=Outcome.PROGRESSING,
            attempt=candidate.attempt,
            started=stamp(now),
        ),
    )


def closed(status: RolloutStatus, candidate: Candidate, outcome: Outcome, why: Why, now: dt.datetime) -> None:
    """Close the open entry of a candidate's attempt; one that was already closed (a stop) keeps what it says."""
    for entry in status.history:
        if entry.number == candidate.number and entry.attempt == candidate.attempt:
            if entry.outcome is Outcome.PROGRESSING:
                entry.outcome, entry.reason, entry.message = outcome, why[0].value, capped(why[1])
                entry.ended = stamp(now)
            return


def passed_over(status: RolloutStatus, version: VersionMark, outcome: Outcome, why: Why, now: dt.datetime) -> None:
    """Note a version that ended without ever having been the candidate."""
    _add(
        status,
        HistoryEntry(
            number=version.number,
            version=version.version,
            outcome=outcome,
            reason=why[0].value,
            message=capped(why[1]),
            started=stamp(now),
            ended=stamp(now),
        ),
    )


def was_stable(status: RolloutStatus, digest: str, now: dt.datetime) -> None:
    """Remember a digest that is stable no more."""
    others = [entry for entry in status.former if entry.digest != digest]
    status.former = [StableEntry(digest=digest, until=fine_stamp(now)), *others][:KEPT]


def was_stable_lately(status: RolloutStatus, digest: str, *, within: str, at: dt.datetime) -> bool:
    """Whether a digest was stable ``within`` that duration before ``at``."""
    earliest = at - durations.bounded(within)
    return any(entry.digest == digest and parse_stamp(entry.until) >= earliest for entry in status.former)


def highest_seen(status: RolloutStatus) -> int:
    """The highest number that the rollout has already dealt with; 0 for none."""
    marks = [mark.number for mark in (status.stable, status.candidate, status.queued) if mark]
    return max([*marks, *(entry.number for entry in status.history)], default=0)


def _add(status: RolloutStatus, entry: HistoryEntry) -> None:
    status.history = [entry, *status.history][:KEPT]
