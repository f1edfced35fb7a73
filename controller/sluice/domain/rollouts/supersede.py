"""What new versions do to a rollout: the first takes all, a later one becomes the candidate, or waits in the queue."""

from __future__ import annotations

from sluice.api.reasons import Reason
from sluice.api.rollout import Candidate, OnSupersede, Outcome, VersionMark
from sluice.domain.rollouts import history
from sluice.domain.rollouts.course import Course
from sluice.domain.rollouts.facts import VersionFacts
from sluice.domain.rollouts.requests import entries_for
from sluice.domain.timestamps import parse_stamp, stamp


def seed(course: Course) -> None:
    """Find the stable version of a rollout that has none: the first ever, or one whose status was lost.

    What versions remember of themselves decides. Where nothing is remembered the newest walks again and the one before is
    taken for stable: nothing opens by accident.
    """
    versions = course.facts.versions
    if course.status.stable is not None or not versions:
        return
    completed = [version for version in versions if version.outcome is Outcome.COMPLETED]
    earlier = [version for version in versions[:-1] if not _was_stopped(course, version)]
    stable = (completed or earlier or versions[:1])[-1]
    course.settle_on(stable, stable.name)
    why = (Reason.NO_PREVIOUS_VERSION, f"v{stable.number} takes all runs, there is no version before it")
    if stable is not versions[0]:
        why = (Reason.COMPLETED, f"v{stable.number} was stable already")
    history.passed_over(course.status, _mark(course, stable), Outcome.COMPLETED, why, course.now)
    course.tell("Normal", why[0], why[1])


def stop_if_deleted(course: Course) -> None:
    """A Rollout deleted in mid-walk is a stop: without it nothing says how the candidate is to go on."""
    status, candidate = course.status, course.status.candidate
    if course.spec is not None or candidate is None:
        return
    message = "its Rollout was deleted in mid-walk; publish again, or create a Rollout and retry"
    if not candidate.stopped:
        course.stop(candidate, Reason.ROLLOUT_DELETED, message)
    if status.queued is not None:
        waiting = course.version(status.queued.number)
        status.queued = None
        if waiting is not None:
            course.stop(course.begin(waiting), Reason.ROLLOUT_DELETED, message)


def take_in(course: Course) -> None:
    """Let every version that the rollout has not seen arrive, in order."""
    seen = history.highest_seen(course.status)
    for version in course.facts.versions:
        if version.number > seen:
            _arrive(course, version)


def release_queue(course: Course) -> bool:
    """The candidate is through: the version that waited starts its walk. False if none waits."""
    waiting = course.status.queued
    version = course.version(waiting.number) if waiting else None
    if waiting is None or version is None:
        return False
    course.status.queued = None
    course.begin(version)
    course.tell("Normal", Reason.WALKING, f"v{version.number} waited and starts now")
    return True


def is_fast_return(course: Course, version: VersionMark | VersionFacts) -> bool:
    """Whether a version brings back what is stable, or was so within ``fastRevert`` before it came."""
    status = course.status
    if status.stable is not None and status.stable.digest == version.digest:
        return True
    if course.spec is None:
        return False
    came = parse_stamp(version.since) if isinstance(version, Candidate) and version.since else course.now
    return history.was_stable_lately(status, version.digest, within=course.spec.fast_revert, at=came)


def _arrive(course: Course, version: VersionFacts) -> None:
    status, candidate = course.status, course.status.candidate
    if version.outcome is Outcome.SUPERSEDED:
        history.passed_over(status, _mark(course, version), version.outcome, _superseded_by(None), course.now)
        return
    walking = candidate is not None and not candidate.stopped
    queues = course.spec is not None and course.spec.on_supersede is OnSupersede.QUEUE
    if walking and queues and not is_fast_return(course, version):
        _enqueue(course, version)
        return
    if candidate is not None and walking:
        status.supersessions += 1
        history.closed(status, candidate, Outcome.SUPERSEDED, _superseded_by(version), course.now)
        course.tell("Normal", Reason.SUPERSEDED, f"v{candidate.number}: {_superseded_by(version)[1]}")
    if status.queued is not None:
        history.passed_over(status, status.queued, Outcome.SUPERSEDED, _superseded_by(version), course.now)
        status.queued = None
    begun = course.begin(version)
    if version.outcome is Outcome.STOPPED:
        course.stop(begun, Reason.STOPPED_BY_HAND, "it had been stopped before; retry it, or publish again")


def _enqueue(course: Course, version: VersionFacts) -> None:
    status = course.status
    if status.queued is not None:
        history.passed_over(status, status.queued, Outcome.SUPERSEDED, _superseded_by(version), course.now)
    status.queued = _mark(course, version)


def _superseded_by(version: VersionFacts | None) -> history.Why:
    return (Reason.SUPERSEDED, f"superseded by v{version.number}" if version else "superseded before")


def _was_stopped(course: Course, version: VersionFacts) -> bool:
    asked = entries_for(course.spec.stops if course.spec else None, version)
    return version.outcome is Outcome.STOPPED or bool(asked)


def _mark(course: Course, version: VersionFacts) -> VersionMark:
    return VersionMark(number=version.number, version=version.name, digest=version.digest, since=stamp(course.now))
