"""The Job, or the pod, that a step with an image of its own runs in.

Its image may hold anything, so nothing of Sluice is in it, and no token: it is told what to do by its arguments and
variables, and tells by its exit code and the file that ``outputFrom`` names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sluice.api.environment import Launch
from sluice.domain.launching.names import SegmentPod
from sluice.domain.launching.placement import Placement, Template
from sluice.domain.launching.pods import (
    SCRATCH,
    SCRATCH_VOLUME,
    Installation,
    Manifest,
    confined,
    job_around,
    literal,
    pod_around,
    resources_of,
    spec_around,
)
from sluice.domain.launching.programs import Program

STEP_CONTAINER: Final = "step"
TEMPORARY: Final = "/tmp"
_STEPS: Final = "steps."
KEPT_S: Final = 24 * 3600
"""How long a Job stays whose end nobody has recorded yet: so long may all controllers be away without its being run again.
Once it is recorded the environment's own ``ttlSecondsAfterFinished`` counts."""


@dataclass(frozen=True, slots=True)
class StepPod:
    """One launch of an attempt. ``timeout_s``: seconds from when a node takes it until it is ended; 0 for no bound."""

    pod: SegmentPod
    program: Program
    placement: Placement
    timeout_s: int = 0


def unit_of(step: str, attempt: int) -> str:
    """The unit of an attempt: its epochs count how often it was launched."""
    return f"{_STEPS}{step}.{attempt}"


def is_of_step(unit: str) -> bool:
    """Whether it is the unit of an attempt that has a pod of its own."""
    return unit.startswith(_STEPS)


def manifest_of(step: StepPod, installation: Installation) -> Manifest:
    """The Job, or the pod where the environment launches those."""
    spec = spec_around(_container(step), step.placement.runner)
    if step.timeout_s:
        spec["activeDeadlineSeconds"] = step.timeout_s
    if step.placement.launch is Launch.POD:
        return pod_around(spec, step.pod, step.placement, installation)
    job = job_around(spec, step.pod, step.placement, installation)
    job["spec"]["ttlSecondsAfterFinished"] = max(step.placement.ttl_s, KEPT_S)
    return job


def _container(step: StepPod) -> Manifest:
    program, runner = step.program, step.placement.runner
    variables = {"HOME": SCRATCH, "TMPDIR": SCRATCH} | dict(program.env)
    container: Manifest = {
        "name": STEP_CONTAINER,
        "image": program.image,
        "env": [{"name": name, "value": literal(value)} for name, value in variables.items()],
        "resources": resources_of(runner),
        "securityContext": confined(),
        "terminationMessagePolicy": "File" if program.output_from else "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": SCRATCH_VOLUME, "mountPath": SCRATCH},
            *_temporary(runner.mounts),
            *runner.mounts,
        ],
    }
    for name, words in (("command", program.command), ("args", program.args)):
        if words:
            container[name] = [literal(word) for word in words]
    if program.output_from:
        container["terminationMessagePath"] = program.output_from
    return container


def _temporary(mounts: tuple[Template, ...]) -> list[Manifest]:
    """Room where programs expect it, unless the environment has something of its own there."""
    taken = any(f"{mount.get('mountPath')}/".startswith(f"{TEMPORARY}/") for mount in mounts)
    return [] if taken else [{"name": SCRATCH_VOLUME, "mountPath": TEMPORARY}]
