"""Replays: which run is run again, on which version, and what it takes over from the original."""

from __future__ import annotations

from sluice.api.reasons import Reason
from sluice.api.workflowrun import Replay, ReplayFrom, ReplayVersion, RunInput, RunPhase
from sluice.domain.definition.digest import step_digests
from sluice.domain.run.events import Event
from sluice.domain.run.plan import compile_plan
from sluice.domain.run.replay import reuse
from sluice.ports.ledger import RunRecord
from sluice.ports.store import Obj
from sluice.reconcilers.runs.routes import Routes, VersionInForce
from sluice.reconcilers.world import World
from sluice.runtime.outcome import Waiting
from sluice.runtime.queue import Key

ROOT = "root"
"""The part of a run that names the run whose idempotency keys it goes on with."""


class NotReplayable(Exception):
    """What is to be replayed is not there, or has nothing to be replayed from."""


class Replays:
    """Reads originals from the ledger, where they are kept longer than their objects."""

    def __init__(self, world: World, routes: Routes) -> None:
        self._world = world
        self._routes = routes

    def number(self, namespace: str, workflow_uid: str, run: RunInput) -> int:
        """The number that a replay is bound to; 0 when the version is drawn. NotReplayable says why it can't be."""
        replay = run.replay
        if replay is None:
            return 0
        original = self._original(namespace, replay)
        if original is None or original.workflow_uid != workflow_uid or not original.ended:
            raise NotReplayable(f"there is no ended run {replay.of} of {run.workflow} to replay")
        if replay.from_ is ReplayFrom.FAILED and original.phase == RunPhase.SUCCEEDED:
            raise NotReplayable(f"{replay.of} succeeded, so no step of it failed: replay it from Start")
        if replay.version is ReplayVersion.LIVE:
            return 0
        if not original.number:
            raise NotReplayable(f"{replay.of} never ran on any version; start a new run, or replay it on version Live")
        return original.number

    def begin(self, obj: Obj, version: VersionInForce) -> tuple[Event, ...]:
        """Take over what the original has done, once; answers with the history that the run begins with.

        Waiting while the original's version is not there to compare with.
        """
        run = RunInput.model_validate(obj["spec"]["input"])
        if run.replay is None or run.replay.from_ is not ReplayFrom.FAILED:
            return ()
        ledger, metadata = self._world.ledger, obj["metadata"]
        original = self._original(metadata["namespace"], run.replay)
        if original is None or not original.number:
            return ()
        before = self._routes.version(metadata["namespace"], run.workflow, original.number)
        if before is None:
            raise Waiting(Reason.VERSION_NOT_FOUND, f"{run.workflow}-v{original.number} is not there to compare with")
        root = ledger.part(original.uid, ROOT) or original.uid.encode()
        ledger.put_part(metadata["uid"], ROOT, root)
        events = reuse(
            ledger.history(original.uid),
            compile_plan(version.definition, version.level),
            old_digests=step_digests(before.definition, before.level),
            new_digests=step_digests(version.definition, version.level),
            at=ledger.now(),
        )
        ledger.take_over(metadata["uid"], events)
        return ledger.history(metadata["uid"])

    def root(self, obj: Obj) -> str:
        """The uid that idempotency keys are made of, where it is another run's; else empty."""
        if (obj["spec"]["input"].get("replay") or {}).get("from") != ReplayFrom.FAILED:
            return ""
        return (self._world.ledger.part(obj["metadata"]["uid"], ROOT) or b"").decode()

    def _original(self, namespace: str, replay: Replay) -> RunRecord | None:
        obj = self._world.caches.runs.get(Key(namespace, replay.of))
        known = self._world.ledger.run(obj["metadata"]["uid"]) if obj else None
        return known or self._world.ledger.run_named(namespace, replay.of)
