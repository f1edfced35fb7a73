"""Environment: whether runs can be launched in it, and how."""

from __future__ import annotations

from collections.abc import Callable

from sluice.api.environment import Environment, EnvironmentStatus, Launch
from sluice.api.reasons import Reason
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.domain.launching.placement import Placement, placement_of
from sluice.domain.launching.security import problems
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import World, key_of
from sluice.runtime.held_up import HeldUp
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key

REFUSED_AGAIN_AFTER = 30.0
PREPARED_AGAIN_AFTER = 600.0
"""Seconds after which what is beside an environment is looked at again: nobody tells when it changes."""


def launch_of(environment: Environment, *, embedded: bool) -> Launch:
    """What ``Auto`` means here; Stalled when this installation can't launch that way."""
    wanted = environment.spec.launch
    if wanted is Launch.AUTO:
        wanted = Launch.PROCESS if embedded else Launch.JOB
    if embedded and wanted is not Launch.PROCESS:
        raise Stalled(
            Reason.LAUNCH_UNSUPPORTED,
            f"launch: {wanted} needs a cluster; here runs are local processes: set spec.launch to Auto or Process",
        )
    if embedded and environment.spec.cluster is not None:
        raise Stalled(Reason.LAUNCH_UNSUPPORTED, "spec.cluster needs an installation on a cluster; remove it here")
    if not embedded and wanted is Launch.PROCESS:
        raise Stalled(
            Reason.LAUNCH_UNSUPPORTED,
            "launch: Process would run steps beside the controller; on a cluster set spec.launch to Auto, Job or Pod",
        )
    found = problems(placement_of(environment, embedded=embedded))
    if found:
        raise Stalled(Reason.INVALID_SPEC, "; ".join(f"{finding.field}: {finding.message}" for finding in found))
    return wanted


class EnvironmentReconciler:
    """Says whether an environment is fit for use."""

    def __init__(self, world: World, prepare: Callable[[Placement], None], held_up: HeldUp) -> None:
        """``prepare`` as ``ports.launcher.Launcher`` has it; ``held_up`` lets runs go that wait for an environment."""
        self._world = world
        self._prepare = prepare
        self._held_up = held_up

    def reconcile(self, obj: Obj) -> Result:
        """Resolve the way runs are launched, and make ready for it."""
        environment = Environment.model_validate(obj)
        launch = launch_of(environment, embedded=self._world.embedded)
        try:
            self._prepare(placement_of(environment, embedded=self._world.embedded))
        except LaunchRefused as refused:
            raise Waiting(refused.why, str(refused), retry_after=REFUSED_AGAIN_AFTER) from refused
        conditions = Conditions()
        derive_ready(conditions, Because(Reason.SUCCEEDED, f"runs are launched here as {launch}"))
        self._report(obj, environment, conditions, launch=launch)
        self._held_up.release(key_of(obj))
        return DONE if self._world.embedded else Result(requeue_after=PREPARED_AGAIN_AFTER)

    def gone(self, key: Key) -> Result:
        """Runs that were pinned to it go on; new ones are refused."""
        self._held_up.gone(key)
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report why no run can be launched here."""
        because, conditions = Because(ending.reason, ending.message), Conditions()
        if isinstance(ending, Stalled):
            derive_ready(conditions, because, stalled=because)
        else:
            derive_ready(conditions, because, reconciling=because)
        self._report(obj, Environment.model_validate(obj), conditions, launch=None)

    def _report(self, obj: Obj, environment: Environment, conditions: Conditions, *, launch: Launch | None) -> None:
        metadata = environment.metadata
        status = EnvironmentStatus(
            observed_generation=metadata.generation,
            launch=launch.value if launch else None,
            conditions=conditions.settle(
                environment.status.conditions, generation=metadata.generation, now=self._world.clock.now()
            ),
        )
        write_status(self._world, obj, status)
