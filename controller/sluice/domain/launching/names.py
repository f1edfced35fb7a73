"""What the objects of a segment are called, and how one finds back from them to the segment.

Names and labels are worked out, not drawn: whoever launches the same segment again meets the Job that is there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from sluice.api.environment import Launch

MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
NAME_LABEL: Final = "app.kubernetes.io/name"
WORKSPACE_LABEL: Final = "sluice.dev/workspace"
WORKFLOW_LABEL: Final = "sluice.dev/workflow"
ENVIRONMENT_LABEL: Final = "sluice.dev/environment"
VERSION_LABEL: Final = "sluice.dev/version"
TRIGGER_LABEL: Final = "sluice.dev/trigger"
RUN_UID_LABEL: Final = "sluice.dev/run-uid"
UNIT_LABEL: Final = "sluice.dev/unit"
EPOCH_LABEL: Final = "sluice.dev/epoch"
CONTROLLER_LABEL: Final = "sluice.dev/controller"
LAUNCHED_FROM_LABEL: Final = "sluice.dev/launched-from"
"""Of what nobody owns: the cluster whose controller launched it, by the uid of that cluster's namespace kube-system. Two
installations on two clusters may have one id, and launch on a third."""
RUN_ANNOTATION: Final = "sluice.dev/run"
"""``<namespace>/<name>`` of the run, for people."""

MANAGER: Final = "sluice"
RUNNER: Final = "sluice-runner"

LONGEST: Final = 57
"""Characters of a segment's name: with a hyphen and the five characters of a Job's pod it is still a label."""

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_POD_SUFFIX = re.compile(r"-[a-z0-9]{5}")
_NOT_IN_LABELS = re.compile(r"[^a-z0-9]+")


class RunName(Protocol):
    """What a run is called, as ``ports.launcher.RunIdentity`` has it; ``number`` is the version's."""

    @property
    def uid(self) -> str: ...  # noqa: D102
    @property
    def namespace(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def workflow(self) -> str: ...  # noqa: D102
    @property
    def environment(self) -> str: ...  # noqa: D102
    @property
    def number(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class SegmentPod:
    """One segment to be launched. ``deadline_s``: seconds that its run may still take, by a timeout; 0 for no bound.

    ValueError when ``unit`` or ``trigger`` can't be a label's value, or ``epoch`` is negative.
    """

    run: RunName
    unit: str
    epoch: int
    trigger: str
    deadline_s: int = 0

    def __post_init__(self) -> None:
        for what, value in (("unit", self.unit), ("trigger", self.trigger)):
            if not _LABEL_VALUE.fullmatch(value):
                raise ValueError(
                    f"a segment's {what} is a label: at most 63 letters, digits, -, _ and .; {value!r} is not"
                )
        if self.epoch < 0:
            raise ValueError(f"an epoch is never negative: {self.epoch}")

    @property
    def name(self) -> str:
        """The name of its Job, or of its pod where that has no Job."""
        return segment_name(self.run, self.unit, self.epoch)


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """Which segment an object belongs to."""

    run_uid: str
    unit: str
    epoch: int


def segment_name(run: RunName, unit: str, epoch: int) -> str:
    """A label that begins like the run's name: ``<start of it>-<10 hexadecimal digits>-<epoch>``, at most 57 characters."""
    digest = hashlib.sha256(f"{run.uid}/{unit}".encode()).hexdigest()[:10]
    ending = f"-{digest}-{epoch}"
    start = _NOT_IN_LABELS.sub("-", run.name)[: LONGEST - len(ending)].strip("-") or "run"
    return start + ending


def owns_pod(name: str, pod_name: str, launch: Launch) -> bool:
    """Whether a pod of this name can be that of the segment called ``name``. Anybody may call a pod like that: no proof."""
    if launch is Launch.POD:
        return pod_name == name
    return pod_name.startswith(name) and bool(_POD_SUFFIX.fullmatch(pod_name, len(name)))


def labels_of(segment: SegmentPod, controller_id: str) -> dict[str, str]:
    """The labels of a segment's Job and pod. ``controller_id`` tells two installations on one cluster apart."""
    run = segment.run
    return {
        MANAGED_BY_LABEL: MANAGER,
        NAME_LABEL: RUNNER,
        CONTROLLER_LABEL: controller_id,
        WORKSPACE_LABEL: run.namespace,
        ENVIRONMENT_LABEL: run.environment,
        WORKFLOW_LABEL: run.workflow,
        VERSION_LABEL: f"v{run.number}",
        TRIGGER_LABEL: segment.trigger,
        RUN_UID_LABEL: run.uid,
        UNIT_LABEL: segment.unit,
        EPOCH_LABEL: str(segment.epoch),
    }


def annotations_of(segment: SegmentPod) -> dict[str, str]:
    """The annotations of a segment's Job and pod."""
    return {RUN_ANNOTATION: f"{segment.run.namespace}/{segment.run.name}"}


def segment_of(labels: Mapping[str, str]) -> SegmentKey | None:
    """The segment that an object with these labels belongs to; None when it is no runner's, or somebody changed them."""
    if labels.get(MANAGED_BY_LABEL) != MANAGER:
        return None
    uid, unit, epoch = (labels.get(key, "") for key in (RUN_UID_LABEL, UNIT_LABEL, EPOCH_LABEL))
    if not uid or not unit or not (epoch.isascii() and epoch.isdecimal()):
        return None
    return SegmentKey(uid, unit, int(epoch))
