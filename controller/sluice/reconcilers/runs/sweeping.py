"""Retention, per namespace: deletes the objects of ended runs that need not stay."""

from __future__ import annotations

from sluice.api import kinds
from sluice.ports.errors import Conflict, NotFound
from sluice.ports.store import Obj, Ref
from sluice.reconcilers.runs.retention import EndedRun, Keep, ended_run, superfluous
from sluice.reconcilers.world import World
from sluice.runtime.outcome import DONE, Result, Stalled, Waiting
from sluice.runtime.queue import Key

SWEEP_AFTER = 60.0
"""Seconds after a run's end: many ends are swept at once."""

LOOK_AGAIN = 3600.0
"""Seconds: objects grow old without anything happening."""


class RunSweeper:
    """Reconciles a namespace: its object is the namespace's name alone."""

    def __init__(self, world: World, keep: Keep) -> None:
        self._world = world
        self._keep = keep

    def reconcile(self, obj: Obj) -> Result:
        """Delete what may go."""
        cache = self._world.caches.runs
        ended: list[EndedRun] = []
        for key in cache.keys(obj["metadata"]["namespace"]):
            found = cache.get(key)
            run = ended_run(found) if found else None
            if run is not None:
                ended.append(run)
        for run in superfluous(ended, self._keep, now=self._world.clock.now()):
            try:
                self._world.store.delete(Ref(kinds.WORKFLOW_RUN, run.namespace, run.name), uid=run.uid)
            except (NotFound, Conflict):
                continue  # it has gone, and maybe another run has its name
        return Result(requeue_after=LOOK_AGAIN) if ended else DONE

    def gone(self, key: Key) -> Result:
        """A namespace is always there to be swept."""
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        """Nothing here waits or stalls."""


def namespace_of(key: Key) -> Obj:
    """What a sweeper is handed."""
    return {"metadata": {"namespace": key.namespace, "name": key.name}}
