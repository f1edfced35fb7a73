"""The plan of one rollout: a fold of new versions, people's requests, time and gates over the status.

Planning on its own result changes nothing. The status can be rebuilt from spec, versions and ledger, with these exceptions,
each decided for safety: when a step began (it begins again), what percentage a held candidate had (0), how many supersessions
there were (0), which digests were stable lately (a return walks), the attempt of a candidate (1) and the history.
"""

from __future__ import annotations

import datetime as dt

from sluice.api.rollout import RolloutSpec, RolloutStatus
from sluice.domain.rollouts import supersede
from sluice.domain.rollouts.course import Course, window_key
from sluice.domain.rollouts.facts import RolloutFacts, RolloutPlan
from sluice.domain.rollouts.report import report
from sluice.domain.rollouts.walk import walk
from sluice.domain.timestamps import stamp


def plan_rollout(
    spec: RolloutSpec | None, status: RolloutStatus, facts: RolloutFacts, *, now: dt.datetime
) -> RolloutPlan:
    """What the status is to be now. ``spec`` None: there is no Rollout (or it is being deleted), so every publish goes to
    100 % at once, and a walk that was under way is stopped. ``now`` is aware."""
    course = Course(spec, status, facts, now)
    supersede.seed(course)
    supersede.stop_if_deleted(course)
    supersede.take_in(course)
    standing = walk(course)
    report(course, standing)
    moved = window_key(course.status) != window_key(status) or course.status.phase is not status.phase
    if moved or not status.since:
        course.status.since = stamp(now)
    return RolloutPlan(
        status=course.status,
        look_again=max(min(course.due) - now, dt.timedelta(milliseconds=1)) if course.due else None,
        events=tuple(course.events),
        changed=course.status != status,
    )
