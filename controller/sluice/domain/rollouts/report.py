"""What a rollout's status tells: requests, counts, conditions. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import Candidate, EnvironmentRuns, RequestState, RolloutPhase
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.domain.rollouts import requests
from sluice.domain.rollouts.course import Course, Standing
from sluice.domain.rollouts.owners import Writer, who_wrote

Kind = Literal["stop", "hold", "override", "promotion", "retry"]
State = Literal["InForce", "Done", "Waiting", "Unknown"]

FIELDS: Final[dict[Kind, str]] = {
    "stop": "stops",
    "hold": "holds",
    "override": "overrides",
    "promotion": "promotions",
    "retry": "retries",
}
STARVED_AFTER: Final = 3
"""So many candidates superseded in a row."""
SETTLED: Final = frozenset(
    {
        Reason.COMPLETED,
        Reason.NO_PREVIOUS_VERSION,
        Reason.AT_PERCENT,
        Reason.OVERRIDDEN_BY_HAND,
        Reason.STOPPED_BY_HAND,
        Reason.ROLLOUT_DELETED,
    }
)
"""What is declared is there, although it may not be 100 %."""
STUCK: Final = frozenset({Reason.GATE_FAILED, Reason.NO_DATA})
"""Nothing moves before a person does something."""


def report(course: Course, standing: Standing) -> None:
    """Fill in what the status tells beside the moves."""
    status, before = course.status, course.before
    status.observed_generation = course.facts.generation
    status.phase = standing.phase
    status.revision = course.revision()
    status.step = status.candidate.step if status.candidate else 0
    _count(course)
    status.requests = [_request_state(course, kind, key) for kind, key in _asked(course)]
    status.conditions = _conditions(course, standing).settle(
        before.conditions, generation=course.facts.generation, now=course.now
    )


def _count(course: Course) -> None:
    status = course.status
    dealt = sorted(course.facts.dealt(status.revision).items()) if status.candidate else []
    status.runs = [
        EnvironmentRuns(environment=name, candidate=candidate, stable=stable)
        for name, (candidate, stable) in dealt[:64]
    ]
    to_candidate = sum(candidate for _, (candidate, _) in dealt)
    total = to_candidate + sum(stable for _, (_, stable) in dealt)
    status.actual_percent = f"{100 * to_candidate / total:.1f}" if total else None


def _asked(course: Course) -> Iterator[tuple[Kind, str]]:
    for kind, field in FIELDS.items():
        for key in sorted(getattr(course.spec, field, None) or {}):
            yield kind, key


def _request_state(course: Course, kind: Kind, key: str) -> RequestState:
    state, message = _became_of(course, kind, key)
    writer = _writer(course, kind, key)
    return RequestState(
        kind=kind,
        key=key,
        state=state,
        by=writer.manager if writer else "",
        since=writer.time or None if writer else None,
        message=message,
    )


def _became_of(course: Course, kind: Kind, key: str) -> tuple[State, str]:
    status, candidate = course.status, course.status.candidate
    if candidate is not None and key in requests.keys_of(candidate):
        return _for_candidate(course, kind, key, candidate)
    if status.queued is not None and key in requests.keys_of(status.queued):
        return "Waiting", f"v{status.queued.number} waits until the candidate is through"
    known = [version.number for version in course.facts.versions if key in requests.keys_of(version)]
    if known:
        if status.stable is not None and status.stable.number in known:
            return "Done", f"v{status.stable.number} is the stable version; requests are for candidates"
        return "Done", f"v{known[-1]} is not the candidate any more"
    newest = course.facts.versions[-1].number if course.facts.versions else 0
    if key.startswith("v") and int(key[1:]) <= newest:
        return "Unknown", f"there is no approved version {key}"
    return "Waiting", f"there is no version {key} yet"


def _for_candidate(course: Course, kind: Kind, key: str, candidate: Candidate) -> tuple[State, str]:
    spec = course.spec
    if spec is None:
        return "Unknown", "there is no Rollout"
    if kind == "stop":
        attempt = (spec.stops or {})[key].attempt
        spent = attempt < candidate.attempt
        return ("Done", f"attempt {attempt} is over") if spent else ("InForce", "")
    if kind == "retry":
        return _retry_state((spec.retries or {})[key].attempt, candidate)
    if candidate.stopped:
        return "Waiting", f"v{candidate.number} is stopped"
    if kind == "promotion":
        step = (spec.promotions or {})[key].step
        reached = step <= candidate.step
        return (
            ("Done", f"the walk is at step {candidate.step}")
            if reached
            else ("Waiting", "a hold or override is in force")
        )
    if kind == "override" and requests.hold_in_force(spec, candidate):
        return "Waiting", f"v{candidate.number} is held"
    return "InForce", ""


def _retry_state(attempt: int, candidate: Candidate) -> tuple[State, str]:
    if attempt <= candidate.attempt:
        return "Done", f"attempt {candidate.attempt} is under way or over"
    if attempt <= candidate.spent_retry:
        return "Done", f"it came while v{candidate.number} was running; the next one is {candidate.spent_retry + 1}"
    return "Waiting", "a stop of the same attempt is in force"


def _conditions(course: Course, standing: Standing) -> Conditions:
    conditions = Conditions()
    moving = standing.phase in {RolloutPhase.PROGRESSING, RolloutPhase.PAUSED}
    state = conditions.true if moving else conditions.false
    state(ConditionType.PROGRESSING, standing.reason, standing.message)
    if standing.starving:
        conditions.true(ConditionType.GATE_STARVING, Reason.GATE_STARVING, standing.starving)
    if course.status.supersessions >= STARVED_AFTER and course.status.candidate is not None:
        message = (
            f"{course.status.supersessions} candidates in a row were superseded before they took all runs; "
            "publish less often, shorten the steps, or set onSupersede to Queue"
        )
        conditions.true(ConditionType.CANDIDATE_STARVED, Reason.SUPERSEDED_THRICE, message)
    held = list(_held_by_hand(course))
    if held:
        conditions.true(ConditionType.HELD_BY_HAND, held[0][0], "; ".join(message for _, message in held))
    because = Because(standing.reason, standing.message)
    if standing.reason in SETTLED:
        derive_ready(conditions, because)
    elif standing.reason in STUCK:
        derive_ready(conditions, because, stalled=because)
    else:
        derive_ready(conditions, because, reconciling=because)
    return conditions


def _held_by_hand(course: Course) -> Iterator[tuple[Reason, str]]:
    """Each thing that a person holds: who, since when, why, and the command that ends it."""
    candidate, name = course.status.candidate, course.facts.workflow
    if candidate is None:
        return
    version = f"v{candidate.number}"
    stop = requests.stop_in_force(course.spec, candidate)
    if stop is not None or candidate.stop_reason == Reason.STOPPED_BY_HAND:
        who = _signed(course, "stop", stop[0] if stop else "")
        why = f"stop of {version}{who}: {candidate.stop_message}"
        attempt = requests.next_attempt(candidate)
        yield Reason.STOPPED_BY_HAND, f"{why}; `sluice rollout retry {name}` ends it (retries: attempt {attempt})"
    if candidate.stopped:
        return
    hold = requests.hold_in_force(course.spec, candidate)
    if hold is not None:
        why = f"hold of {version}{_signed(course, 'hold', hold[0])}{_because(hold[1].reason)}"
        yield Reason.HELD_BY_HAND, f"{why}; `sluice rollout resume {name}` ends it"
    override = requests.override_in_force(course.spec, candidate)
    if override is not None:
        why = f"override of {version} to {override[1].percent} %{_signed(course, 'override', override[0])}"
        yield Reason.OVERRIDDEN_BY_HAND, f"{why}; `sluice rollout resume {name}` ends it"


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def _signed(course: Course, kind: Kind, key: str) -> str:
    writer = _writer(course, kind, key)
    if writer is None:
        return ""
    return f" by {writer.manager}" + (f" since {writer.time}" if writer.time else "")


def _writer(course: Course, kind: Kind, key: str) -> Writer | None:
    return who_wrote(course.facts.managed_fields, ("spec", FIELDS[kind], key))
