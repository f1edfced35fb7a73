"""People's requests, matched to versions: which one is in force, and what became of the others.

A key names a version by number (``v7``) or by content (``d-`` and 12 hex digits of its digest). A request for a version that is
not there yet waits; one for a version that is through does nothing any more; so late and repeated ones are harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sluice.api.rollout import Candidate, Hold, Override, RolloutSpec, Stop, VersionMark
from sluice.domain.rollouts.facts import VersionFacts

Entry = TypeVar("Entry")


def keys_of(version: VersionMark | VersionFacts) -> tuple[str, str]:
    """The two keys that name a version."""
    return f"v{version.number}", f"d-{version.digest.removeprefix('sha256:')[:12]}"


def entries_for(
    requests: Mapping[str, Entry] | None, version: VersionMark | VersionFacts
) -> Sequence[tuple[str, Entry]]:
    """The requests that name a version, by number first."""
    return [(key, requests[key]) for key in keys_of(version) if key in requests] if requests else []


def stop_in_force(
    spec: RolloutSpec | None, candidate: Candidate, attempt: int | None = None
) -> tuple[str, Stop] | None:
    """The stop that holds for this attempt (the candidate's unless said); one for an earlier attempt is spent."""
    attempt = candidate.attempt if attempt is None else attempt
    found = entries_for(spec.stops if spec else None, candidate)
    return next(((key, stop) for key, stop in found if stop.attempt >= attempt), None)


def hold_in_force(spec: RolloutSpec | None, candidate: Candidate) -> tuple[str, Hold] | None:
    """The hold on a candidate."""
    return next(iter(entries_for(spec.holds if spec else None, candidate)), None)


def override_in_force(spec: RolloutSpec | None, candidate: Candidate) -> tuple[str, Override] | None:
    """The percentage that somebody put in place of the step's."""
    return next(iter(entries_for(spec.overrides if spec else None, candidate)), None)


def promoted_to(spec: RolloutSpec | None, candidate: Candidate) -> int:
    """The furthest step that the walk is let on to; 0 if none was asked for."""
    found = entries_for(spec.promotions if spec else None, candidate)
    return max((promotion.step for _, promotion in found), default=0)


def asked_attempt(spec: RolloutSpec | None, candidate: Candidate) -> int:
    """The highest attempt that somebody asked for; 1 if none."""
    found = entries_for(spec.retries if spec else None, candidate)
    return max((retry.attempt for _, retry in found), default=1)


def next_attempt(candidate: Candidate) -> int:
    """The attempt that a retry must ask for to start this candidate again."""
    return max(candidate.attempt, candidate.spent_retry) + 1
