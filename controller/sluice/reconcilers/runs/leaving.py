"""Runs whose objects go: what runs of them is stopped, and what was launched elsewhere is deleted before they are gone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sluice.api.kinds import NAMESPACE
from sluice.api.reasons import Reason
from sluice.api.workflowrun import TERMINAL_PHASES
from sluice.domain.launching.traces import FINALIZER, is_marked, places_of, unmarked
from sluice.ports.errors import NotFound
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj, Ref
from sluice.reconcilers.world import CONTROLLER, World
from sluice.runtime.engine import RunEngine
from sluice.runtime.outcome import SETTLED, Result, Waiting

CLEARED_AGAIN_AFTER = 30.0
"""Seconds after which it is tried again to delete what is left elsewhere."""

_TERMINAL = frozenset(phase.value for phase in TERMINAL_PHASES)

log = logging.getLogger(__name__)


class Leaving:
    """Lets runs go."""

    def __init__(self, world: World, engine: RunEngine, *, left: Callable[[str], None]) -> None:
        """``left`` is told the uid of a run that was open until now."""
        self._world = world
        self._engine = engine
        self._left = left

    def give_up(self, uid: str) -> None:
        """Stop what runs of a run; what it recorded stays, and nothing more is taken of it."""
        self._engine.kill(uid)
        record = self._world.ledger.run(uid)
        if record is not None and not record.ended:
            self._world.ledger.abandon(uid)
            self._left(uid)

    def leave(self, obj: Obj) -> Result:
        """Somebody deleted it: stop it, and let its object go once nothing of it is left elsewhere."""
        metadata = obj["metadata"]
        self.give_up(metadata["uid"])
        if not is_marked(metadata):
            return SETTLED
        if obj.get("status", {}).get("phase") not in _TERMINAL:
            self._clear(obj)
        # Of one that ended by itself nothing runs any more; what its Jobs leave is gone after a while, wherever they are.
        self._world.store.update({**obj, "metadata": unmarked(metadata)}, manager=CONTROLLER)
        return SETTLED

    def _clear(self, obj: Obj) -> None:
        """Delete what was launched elsewhere. Waiting while it can't be: a person may decide not to wait."""
        metadata = obj["metadata"]
        try:
            self._engine.clear(metadata["uid"], places_of(metadata))
        except LaunchRefused as refused:
            if refused.why is Reason.KUBECONFIG_UNUSABLE and self._is_workspace_leaving(metadata["namespace"]):
                log.warning(
                    "run %s/%s goes with its namespace; what is left of it can't be deleted: %s",
                    metadata["namespace"],
                    metadata["name"],
                    refused,
                )
                return
            how = (
                f"kubectl patch workflowruns.sluice.dev {metadata['name']} -n {metadata['namespace']} --type=json "
                f'-p \'[{{"op":"remove","path":"/metadata/finalizers/{metadata["finalizers"].index(FINALIZER)}"}}]\''
            )
            message = f"it is being deleted once its Jobs are: {refused}; not to wait for that: {how}"
            pin = obj["spec"].get("pin")
            if pin:
                self._engine.held_up.add(metadata["namespace"], environment=pin["environment"], run=metadata["name"])
            raise Waiting(refused.why, message, retry_after=CLEARED_AGAIN_AFTER) from refused

    def _is_workspace_leaving(self, namespace: str) -> bool:
        """Nobody can put a Secret there again; waiting for one would hold up the namespace for ever."""
        try:
            found = self._world.store.get(Ref(NAMESPACE, "", namespace))
        except NotFound:
            return True
        return bool(found["metadata"].get("deletionTimestamp"))
