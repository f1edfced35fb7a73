"""Why a pod ended otherwise than well: what the cluster did to it, else what its program's exit code says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sluice.api.reasons import StepReason

Status = Mapping[str, Any]

TAIL: Final = 1000
"""Characters of a runner's last words that a message takes up; what matters stands at the end."""


@dataclass(frozen=True, slots=True)
class Because:
    """A reason and what to tell people."""

    reason: StepReason
    message: str


_EXITS: Final[Mapping[int, Because]] = MappingProxyType(
    {
        2: Because(
            StepReason.POD_START_FAILED,
            "its runner does not understand what it was started with; make the image from this Sluice's own",
        ),
        3: Because(StepReason.RUNNER_REFUSED, "the controller did not take it for this run's pod"),
        4: Because(StepReason.LEASE_EXPIRED, "it heard nothing of the controller for too long, and stopped"),
        5: Because(StepReason.RUNNER_LOST, "the process that ran the steps ended before they did"),
        137: Because(StepReason.RUNNER_LOST, "its runner was killed"),
        143: Because(StepReason.RUNNER_LOST, "its runner was asked to end"),
    }
)
"""What the runner's exit codes mean; with 128 more than a signal's number, the signal ended it."""

_DISRUPTIONS: Final[Mapping[str, Because]] = MappingProxyType(
    {
        "PreemptionByScheduler": Because(StepReason.POD_EVICTED, "a pod of higher priority took its place"),
        "DeletionByTaintManager": Because(StepReason.POD_EVICTED, "a taint of its node takes it away"),
        "EvictionByEvictionAPI": Because(StepReason.POD_EVICTED, "its node is being drained"),
        "DeletionByPodGC": Because(StepReason.NODE_LOST, "its node is not there any more"),
        "TerminationByKubelet": Because(StepReason.POD_EVICTED, "its node ended it"),
    }
)
"""What the condition DisruptionTarget says, by its reason."""

NOT_STARTED: Final = frozenset({"StartError", "ContainerCannotRun"})


def ending_of(pod: Mapping[str, Any], ended: Mapping[str, Any]) -> Because:
    """Why a failed pod failed; ``ended`` is how the runner's container ended, empty when nobody tells."""
    status: Status = pod.get("status") or {}
    if ended.get("reason") == "OOMKilled":
        return Because(StepReason.RUNNER_OOM, "its pod ran out of memory; raise limits.memory of runner.resources")
    if status.get("reason") == "DeadlineExceeded":
        return Because(StepReason.RUN_TIMED_OUT, "its pod was ended by the cluster, long after its run's time was over")
    if taken := taken_away(status):
        return taken
    if ended.get("reason") in NOT_STARTED:
        return Because(StepReason.POD_START_FAILED, sentence("its program can't be started", ended.get("message")))
    code = ended.get("exitCode")
    if (code is None or code in (137, 143)) and (pod.get("metadata") or {}).get("deletionTimestamp"):
        return Because(StepReason.POD_EVICTED, "somebody deleted its pod")
    if code is None:
        return never_began(status)
    known = _EXITS.get(code, Because(StepReason.RUNNER_LOST, f"its runner ended with code {code}"))
    return Because(known.reason, sentence(known.message, ended.get("message")))


def taken_away(status: Status) -> Because | None:
    """What the cluster did to the pod, so that how its program ended says nothing; None if it left it alone."""
    if status.get("reason") == "NodeLost":
        return Because(StepReason.NODE_LOST, "its node did not answer any more")
    if disrupted := disruption_of(status):
        return disrupted
    if status.get("reason"):
        return Because(StepReason.POD_EVICTED, sentence(status["reason"], status.get("message")))
    return None


def disruption_of(status: Status) -> Because | None:
    """What the cluster does to the pod for reasons of its own; None when it leaves it alone."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            reason, message = condition.get("reason") or "", condition.get("message")
            known = _DISRUPTIONS.get(reason, Because(StepReason.POD_EVICTED, reason or "the cluster took it away"))
            return Because(known.reason, sentence(known.message, message))
    return None


def never_began(status: Status) -> Because:
    """The pod failed and our container never ran: something that a cluster put before it did not end well."""
    for container in status.get("initContainerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            what = f"{container.get('name')}, which runs before it, ended with code {ended['exitCode']}"
            return Because(StepReason.POD_START_FAILED, sentence(what, ended.get("message")))
    return Because(StepReason.RUNNER_LOST, sentence("its pod failed", status.get("message")))


def sentence(text: str, more: str | None) -> str:
    """What happened, and the cluster's or the program's own words about it, the end of them if they are long."""
    more = (more or "").strip()
    if not more:
        return text
    return f"{text}: {more if len(more) <= TAIL else '…' + more[1 - TAIL :]}"
