"""What a person may ask of a rollout, as changes to the Rollout's spec. Pure: a candidate and a spec in, a patch out.

Requests are keyed by the version that they are about, so late and repeated ones are harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluice.api.rollout import Candidate, RolloutSpec, RolloutStatus
from sluice.cli.failures import Failed, Wrong
from sluice.domain.rollouts.requests import entries_for, next_attempt
from sluice.domain.routing.quota import percent_hundredths, percent_text

Patch = dict[str, Any]
REQUESTS = ("stops", "holds", "overrides", "promotions", "retries")


@dataclass(frozen=True, slots=True)
class Steering:
    """A merge patch of ``spec``, and the sentence that tells what it does; an empty patch means there is nothing to do."""

    spec: Patch
    told: str


@dataclass(frozen=True, slots=True)
class Course:
    """Where a workflow's rollout stands and the spec in force: its own Rollout's, or the namespace's default policy's."""

    workflow: str
    status: RolloutStatus
    spec: RolloutSpec

    def candidate(self) -> Candidate:
        """The version that is taking over. Failed when there is none."""
        if self.status.candidate is None:
            stable = f"v{self.status.stable.number} takes all runs" if self.status.stable else "nothing is published"
            raise Failed(f"{self.workflow} has no version that is taking over: {stable}")
        return self.status.candidate


def stop(course: Course, reason: str) -> Steering:
    """Every new run goes to the stable version, at once."""
    candidate = course.candidate()
    if candidate.stopped:
        return Steering({}, f"{_name(candidate)} is stopped already: {candidate.stop_message}")
    entry = {"attempt": candidate.attempt} | _because(reason)
    stable = f"v{course.status.stable.number}" if course.status.stable else "nothing"
    return Steering({"stops": {_key(candidate): entry}}, f"{_name(candidate)} stops: new runs go to {stable}")


def hold(course: Course, reason: str) -> Steering:
    """The walk stays where it is."""
    candidate = _running(course)
    return Steering(
        {"holds": {_key(candidate): _because(reason)}}, f"{_name(candidate)} is held at {course.status.percent} %"
    )


def resume(course: Course) -> Steering:
    """Ends a hold and an override."""
    candidate = course.candidate()
    held, overridden = _keys(course.spec.holds, candidate), _keys(course.spec.overrides, candidate)
    if candidate.stopped:
        raise Failed(f"{_name(candidate)} is stopped; `sluice rollout retry {course.workflow}` starts it again")
    if not held and not overridden:
        return Steering({}, f"nobody holds {_name(candidate)}")
    ended = {"holds": dict.fromkeys(held), "overrides": dict.fromkeys(overridden)}
    spec = {field: entries for field, entries in ended.items() if entries}
    return Steering(spec, f"{_name(candidate)} goes on by its steps")


def advance(course: Course) -> Steering:
    """Lets the walk on to the next step without the rest of its pause and gate."""
    candidate = _running(course)
    steps = course.spec.steps
    if not steps:
        raise Failed(
            f"the rollout of {course.workflow} has no steps; `sluice rollout set {course.workflow} --percent N`"
        )
    if candidate.step + 1 >= len(steps):
        raise Failed(f"{_name(candidate)} is at the last step, {steps[-1].percent} %")
    if _keys(course.spec.holds, candidate) or _keys(course.spec.overrides, candidate):
        raise Failed(f"{_name(candidate)} is held by hand; `sluice rollout resume {course.workflow}` first")
    following = candidate.step + 1
    return Steering(
        {"promotions": {_key(candidate): {"step": following}}},
        f"{_name(candidate)} goes on to step {following} ({steps[following].percent} %)",
    )


def retry(course: Course) -> Steering:
    """A stopped candidate starts again, without a new version."""
    candidate = course.candidate()
    if not candidate.stopped:
        raise Failed(f"{_name(candidate)} is not stopped; there is nothing to try again")
    attempt = next_attempt(candidate)
    barred = [key for key, entry in entries_for(course.spec.stops, candidate) if entry.attempt >= attempt]
    if barred:
        raise Failed(f"spec.stops.{barred[0]} stops attempt {attempt} as well; remove it first")
    return Steering(
        {"retries": {_key(candidate): {"attempt": attempt}}}, f"{_name(candidate)} starts attempt {attempt}"
    )


def set_percent(course: Course, percent: str) -> Steering:
    """This percentage for the version that is taking over; without one, for those to come."""
    value = wire_percent(percent)
    if course.status.candidate is not None:
        candidate = _running(course)
        return Steering(
            {"overrides": {_key(candidate): {"percent": value}}}, f"{_name(candidate)} takes {percent} % of new runs"
        )
    if course.spec.steps:
        raise Failed(
            f"the rollout of {course.workflow} goes by steps and nothing is taking over; change spec.steps instead"
        )
    return Steering({"percent": value}, f"the next version of {course.workflow} takes {percent} % of new runs")


def wire_percent(text: str) -> int | str:
    """A percentage as manifests spell it: a whole number, or a string with up to two decimals. Wrong says what fits."""
    try:
        spelled = percent_text(percent_hundredths(text))
    except ValueError as error:
        raise Wrong(f"--percent: {error}") from error
    return int(spelled) if spelled.isdecimal() else spelled


def own_rollout(workflow: str, policy: dict[str, Any] | None) -> dict[str, Any]:
    """A Rollout for one workflow: a copy of the namespace's default policy, without its requests; 100 % without one."""
    spec = {key: value for key, value in (policy or {}).get("spec", {}).items() if key not in REQUESTS}
    if "percent" not in spec and "steps" not in spec:
        spec["percent"] = 100
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": workflow}, "spec": spec}


def _running(course: Course) -> Candidate:
    candidate = course.candidate()
    if candidate.stopped:
        raise Failed(
            f"{_name(candidate)} is stopped: {candidate.stop_message}; "
            f"`sluice rollout retry {course.workflow}` starts it again"
        )
    return candidate


def _keys(requests: Mapping[str, object] | None, candidate: Candidate) -> list[str]:
    """The keys of the requests that are about the candidate."""
    return [key for key, _ in entries_for(requests, candidate)]


def _key(candidate: Candidate) -> str:
    return f"v{candidate.number}"


def _name(candidate: Candidate) -> str:
    return f"v{candidate.number}"


def _because(reason: str) -> Patch:
    return {"reason": reason} if reason else {}
