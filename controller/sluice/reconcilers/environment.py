"""Environment: whether runs can be launched in it, and how."""

from __future__ import annotations

from sluice.api.environment import Environment, EnvironmentStatus, Launch
from sluice.api.reasons import Reason
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.ports.store import Obj
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import World
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key


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
    return wanted


class EnvironmentReconciler:
    """Says whether an environment is fit for use."""

    def __init__(self, world: World) -> None:
        self._world = world

    def reconcile(self, obj: Obj) -> Result:
        """Resolve the way runs are launched."""
        environment = Environment.model_validate(obj)
        launch = launch_of(environment, embedded=self._world.embedded)
        because = Because(Reason.SUCCEEDED, f"runs are launched here as {launch}")
        self._report(obj, environment, because, launch=launch)
        return DONE

    def gone(self, key: Key) -> Result:
        """Runs that were pinned to it go on; new ones are refused."""
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Report why no run can be launched here."""
        environment = Environment.model_validate(obj)
        self._report(obj, environment, Because(ending.reason, ending.message), launch=None)

    def _report(self, obj: Obj, environment: Environment, because: Because, *, launch: Launch | None) -> None:
        metadata = environment.metadata
        conditions = Conditions()
        derive_ready(conditions, because, stalled=because if launch is None else None)
        status = EnvironmentStatus(
            observed_generation=metadata.generation,
            launch=launch.value if launch else None,
            conditions=conditions.settle(
                environment.status.conditions, generation=metadata.generation, now=self._world.clock.now()
            ),
        )
        write_status(self._world, obj, status)
