"""What a pod's status says of what runs in it: whether it waits, runs, has ended or is lost, and why.

Our own container decides, whatever else a cluster puts into the pod: a sidecar that does not end keeps no run from having
ended. A pod that can't be asked any more is Gone, not Failed: its program may still run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sluice.api.reasons import Reason, StepReason
from sluice.domain.durations import rough
from sluice.domain.launching.endings import Because, Status, disruption_of, ending_of
from sluice.domain.launching.pods import CONTAINER
from sluice.domain.timestamps import parse_stamp

LONG: Final = dt.timedelta(minutes=2)
"""A start that takes longer is worth a word about where to look."""
LOST_AFTER: Final = dt.timedelta(minutes=1)
"""A pod that is still there so long after its grace period is on a node that does not answer."""

_IMAGE: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CONFIG: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError"}
)


class PodState(StrEnum):
    """Where a pod is."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    GONE = "Gone"


@dataclass(frozen=True, slots=True)
class PodStanding:
    """``reason`` says why a pod waits (a Reason), or why it ended, is lost or is being taken away (a StepReason).

    ``started`` is when the container began; until then no time counts as the run's.
    """

    state: PodState
    reason: Reason | StepReason | None = None
    message: str = ""
    started: dt.datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing runs in it any more, for certain."""
        return self.state in (PodState.SUCCEEDED, PodState.FAILED)


Ending = Callable[[Mapping[str, Any], Mapping[str, Any]], Because]
"""Why a pod failed, given how our container in it ended."""


def pod_standing(
    pod: Mapping[str, Any] | None, now: dt.datetime, *, container: str = CONTAINER, ending: Ending = ending_of
) -> PodStanding:
    """The standing of a segment's pod, or of one in which ``container`` runs; None is a pod that is not there any more."""
    if pod is None:
        return PodStanding(PodState.GONE, StepReason.RUNNER_LOST, "its pod is not there any more; somebody deleted it")
    status: Status = pod.get("status") or {}
    phase = status.get("phase")
    ours = state_of(pod, container)
    ended = ours.get("terminated")
    started = _moment((ended or ours.get("running") or {}).get("startedAt"))
    if (phase == "Succeeded" and ended is None) or (ended is not None and ended.get("exitCode") == 0):
        return PodStanding(PodState.SUCCEEDED, started=started)
    if phase == "Failed" or ended is not None:
        because = ending(pod, ended or {})
        return PodStanding(PodState.FAILED, because.reason, because.message, started)
    leaving = _leaving(pod, now)
    if leaving is not None and leaving.reason is StepReason.NODE_LOST:
        return PodStanding(PodState.GONE, leaving.reason, leaving.message, started)
    state = PodState.RUNNING if phase == "Running" and "waiting" not in ours else PodState.PENDING
    if leaving is not None:
        return PodStanding(state, leaving.reason, leaving.message, started)
    if state is PodState.RUNNING:
        return PodStanding(state, started=started)
    reason, message = _hindrance(pod, status, now)
    return PodStanding(state, reason, message)


def state_of(pod: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The state of a container; empty while there is none."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        if container.get("name") == name:
            return container.get("state") or {}
    return {}


def _leaving(pod: Mapping[str, Any], now: dt.datetime) -> Because | None:
    """Why a pod that has not ended is on its way out, or lost already; None when it stays."""
    status: Status = pod.get("status") or {}
    node = (pod.get("spec") or {}).get("nodeName") or ""
    if status.get("phase") == "Unknown" or status.get("reason") == "NodeLost":
        return Because(StepReason.NODE_LOST, f"its node {node} does not answer".replace("  ", " "))
    until = _moment((pod.get("metadata") or {}).get("deletionTimestamp"))
    if until is None:
        return None
    if node and now > until + LOST_AFTER:
        return Because(
            StepReason.NODE_LOST, f"its node {node} does not answer: it should be gone since {until:%H:%M:%S}"
        )
    return disruption_of(status) or Because(StepReason.POD_EVICTED, "its pod is being deleted")


def _hindrance(pod: Mapping[str, Any], status: Status, now: dt.datetime) -> tuple[Reason, str]:
    """Why a pod does not run yet."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Reason.POD_UNSCHEDULABLE, condition.get("message") or condition.get("reason") or "no node takes it"
    for container, waiting in _waiting(status):
        why, message = waiting.get("reason") or "", waiting.get("message") or ""
        if why in _IMAGE:
            image = container.get("image") or "its image"
            return Reason.IMAGE_PULL_FAILED, f"{image} can't be pulled: {message or why}"
        if why in _CONFIG:
            return Reason.POD_CONFIG_INVALID, message or why
    metadata = pod.get("metadata") or {}
    made = _moment(metadata.get("creationTimestamp"))
    if made is None or now - made < LONG:
        return Reason.POD_STARTING, "its pod is being started"
    command = f"kubectl describe pod {metadata.get('name')} -n {metadata.get('namespace')}"
    return (
        Reason.POD_STARTING,
        f"its pod has been starting for {rough(now - made)}; its volumes or its network may not be ready: {command}",
    )


def _waiting(status: Status) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each container that waits, with how it does; also those that a cluster adds."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or ():
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                yield container, waiting


def _moment(text: str | None) -> dt.datetime | None:
    return parse_stamp(text) if text else None
