"""How an attempt with a pod of its own stands: told from the pod's status, and from what the container left there.

The program's own verdict ends the step. What a cluster did to the pod is no verdict: the attempt is launched again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson

from sluice.api.reasons import Reason, StepReason
from sluice.domain.launching.endings import NOT_STARTED, Because, never_began, sentence, taken_away
from sluice.domain.launching.standing import PodState, pod_standing, state_of
from sluice.domain.launching.step_pods import STEP_CONTAINER
from sluice.domain.timestamps import parse_stamp, to_micros

OUTPUT_BYTES: Final = 4096
"""As many of an output file's last bytes a kubelet hands on: of a longer one the beginning is missing."""

_VERDICTS: Final = frozenset({StepReason.CONTAINER_FAILED, StepReason.STEP_OOM, StepReason.TIMED_OUT})


class AttemptState(StrEnum):
    """Where an attempt is. Absent: there is nothing of it."""

    ABSENT = "Absent"
    PENDING = "Pending"
    RUNNING = "Running"
    ENDED = "Ended"
    LOST = "Lost"


@dataclass(frozen=True, slots=True)
class Sight:
    """``hindrance`` says why it does not begin, where that is more than that it takes its time; ``body`` is a StepBody without
    log, once it ended; ``lost`` is what took its pod, or takes it away.

    ``made`` and ``started`` are microseconds, UTC: when its Job was made, when its container began; 0 for not yet.
    """

    state: AttemptState
    hindrance: tuple[Reason, str] | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    lost: Because | None = None
    made: int = 0
    started: int = 0


ABSENT: Final = Sight(AttemptState.ABSENT)


def sight_of(pod: Mapping[str, Any], output_from: str, now: dt.datetime) -> Sight:
    """What a pod's status says of the attempt in it; the last one that was seen, if it is gone since."""
    standing = pod_standing(pod, now, container=STEP_CONTAINER, ending=_ending)
    started = to_micros(standing.started) if standing.started else 0
    match standing.state:
        case PodState.SUCCEEDED:
            return Sight(AttemptState.ENDED, body=_succeeded(pod, output_from), started=started)
        case PodState.FAILED if standing.reason in _VERDICTS:
            return Sight(AttemptState.ENDED, body=_failed(standing.reason, standing.message), started=started)
        case PodState.FAILED | PodState.GONE if isinstance(standing.reason, StepReason):
            return Sight(AttemptState.LOST, lost=Because(standing.reason, standing.message), started=started)
    leaving = Because(standing.reason, standing.message) if isinstance(standing.reason, StepReason) else None
    if standing.state is PodState.RUNNING:
        return Sight(AttemptState.RUNNING, lost=leaving, started=started)
    if isinstance(standing.reason, Reason) and standing.reason is not Reason.POD_STARTING:
        return Sight(AttemptState.PENDING, (standing.reason, standing.message))
    return Sight(AttemptState.PENDING, lost=leaving)


def gone(message: str) -> Sight:
    """Its Job or pod was there and is not any more."""
    return Sight(AttemptState.LOST, lost=Because(StepReason.POD_EVICTED, message))


def last_words(pod: Mapping[str, Any]) -> str:
    """What the kubelet keeps of a container that has ended: its output file, else the end of a failed one's log."""
    return str((state_of(pod, STEP_CONTAINER).get("terminated") or {}).get("message") or "")


def _ending(pod: Mapping[str, Any], ended: Mapping[str, Any]) -> Because:
    """Why the pod failed."""
    status = pod.get("status") or {}
    if ended.get("reason") == "OOMKilled":
        what = "its container ran out of memory; raise limits.memory of the Environment's runner.resources"
        return Because(StepReason.STEP_OOM, what)
    if status.get("reason") == "DeadlineExceeded":
        return Because(StepReason.TIMED_OUT, "its container took longer than the step's timeout, and was ended")
    if taken := taken_away(status):
        return taken
    if _was_deleted_before(pod, ended):
        return Because(StepReason.POD_EVICTED, "somebody deleted its pod")
    code = ended.get("exitCode")
    if code is None:
        return never_began(status)
    if ended.get("reason") in NOT_STARTED:
        return Because(
            StepReason.CONTAINER_FAILED, sentence("its program can't be started", str(ended.get("message") or ""))
        )
    signal = f" (signal {code - 128})" if code > 128 else ""
    return Because(
        StepReason.CONTAINER_FAILED, sentence(f"its container ended with code {code}{signal}", _last_line(ended))
    )


def _was_deleted_before(pod: Mapping[str, Any], ended: Mapping[str, Any]) -> bool:
    """Whether the container ended because its pod was to go; one that ended before had come to its own end."""
    metadata = pod.get("metadata") or {}
    until, finished = metadata.get("deletionTimestamp"), ended.get("finishedAt")
    if not until or not finished:
        return bool(until)
    grace = dt.timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
    return parse_stamp(finished) >= parse_stamp(until) - grace


def _last_line(ended: Mapping[str, Any]) -> str:
    lines = str(ended.get("message") or "").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _succeeded(pod: Mapping[str, Any], output_from: str) -> dict[str, Any]:
    if not output_from:
        return _completed({"exitCode": 0})
    text = last_words(pod)
    if not text.strip():
        return _failed(StepReason.OUTPUT_INVALID, f"its container ended well and wrote nothing into {output_from}")
    if len(text.encode()) >= OUTPUT_BYTES:
        return _failed(
            StepReason.OUTPUT_TOO_LARGE,
            f"{output_from} has {OUTPUT_BYTES:,} bytes or more, and {OUTPUT_BYTES - 1:,} are the limit of what a cluster "
            "hands on; keep large data in storage and write its key",
        )
    try:
        return _completed(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        return _failed(StepReason.OUTPUT_INVALID, f"{output_from} is no JSON: {error}; it begins with {text[:80]!r}")


def _completed(output: Any) -> dict[str, Any]:
    return {"phase": "Succeeded", "reason": StepReason.COMPLETED.value, "output": output}


def _failed(reason: Reason | StepReason | None, message: str) -> dict[str, Any]:
    return {"phase": "Failed", "reason": str(reason), "message": message}
