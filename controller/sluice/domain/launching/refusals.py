"""Why a cluster takes no pod of a segment: the words of its API server, or of the Job controller's FailedCreate events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sluice.api.reasons import Reason

_PREFIX = re.compile(r"^Error creating: ")
_FORBIDDEN = re.compile(r"^(?:pods|jobs\.batch) \"[^\"]*\" is forbidden: ")
_ADVICE: Final[tuple[tuple[str, Reason, str], ...]] = (
    ("exceeded quota", Reason.QUOTA_EXCEEDED, "wait, raise the quota, or lower spec.runner.resources"),
    ("failed quota", Reason.QUOTA_EXCEEDED, "say in spec.runner.resources what the quota asks for"),
    ("violates PodSecurity", Reason.POD_REFUSED, "correct spec.runner as the namespace's Pod Security asks"),
    ("error looking up service account", Reason.POD_REFUSED, "make the service account, or correct serviceAccountName"),
    ("usage per", Reason.POD_REFUSED, "keep spec.runner.resources within the namespace's LimitRange"),
    ("is being terminated", Reason.POD_REFUSED, "name another namespace in spec.namespace"),
)
"""What the message contains, and what to do."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason and what to tell people."""

    reason: Reason
    message: str


def job_refusal(message: str) -> Refusal:
    """What is wrong when creating a Job, or its pod, was refused with this message."""
    said = _FORBIDDEN.sub("", _PREFIX.sub("", message.strip())).strip()
    for sign, reason, advice in _ADVICE:
        if sign in said:
            return Refusal(reason, f"{said}; {advice}")
    return Refusal(Reason.POD_REFUSED, said or "the cluster refused its pod and did not say why")
