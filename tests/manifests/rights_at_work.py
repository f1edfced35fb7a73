"""What a controller that works can't do about workflows and runs without one of its rights, and does once it has it again."""

from __future__ import annotations

from sluice.api import kinds
from sluice.api.kinds import EVENT, SLUICE_KINDS, KindInfo
from sluice.ports.store import Obj, Ref
from tests.cluster.workspace import Workspace
from tests.manifests.rights import Need
from tests.manifests.site import Site

OWNER = "ana@example.com"
SWEPT_S = 120
"""Runs are swept a minute after one has ended."""


def publish(site: Site, need: Need) -> None:
    """PUBLISH, OWN_BLOCKING"""
    with site.space() as space:
        with site.lacking(need):
            _ask_for_approval(space)
            site.wait_refused(need, namespace=space.namespace)
            assert not _all(space, kinds.APPROVAL)
        space.wait_for(lambda: _all(space, kinds.APPROVAL), "an approval is asked for")


def show(site: Site, need: Need) -> None:
    """SHOW"""
    kind = next(kind for kind in SLUICE_KINDS if kind.plural == need.resource.partition("/")[0])

    def shown(space: Workspace) -> list[Obj]:
        return [obj for obj in _all(space, kind) if obj["metadata"]["name"] != "local" and obj.get("status")]

    with site.space() as space:
        with site.lacking(need):
            space.apply(kinds.ENVIRONMENT, "other", {"type": "Sandbox"})
            space.apply(kinds.ENVIRONMENT_STATE, "hello.local", {"state": "Active"})
            space.apply_rollout("hello", percent=100)
            space.apply_workflow("hello", "output = 1")
            _ask_for_approval(space)
            run = space.start("hello")
            site.wait_refused(need, namespace=space.namespace)
            assert not shown(space)
        space.wait_for(lambda: shown(space), f"there is a status of one of {kind.plural}")
        space.wait_ended(run)


def tell(site: Site, need: Need) -> None:
    """TELL"""
    with site.space() as space:
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        space.apply_rollout("hello", steps=[{"percent": 1}, {"percent": 2, "pause": {}}, {"percent": 100}])
        attempts = iter(range(1, 9))
        before = 0 if need.verb == "create" else 1
        if before:
            _walk(space, next(attempts))
            space.wait_for(lambda: _told(space) == before, "an Event tells of the walk")
        with site.lacking(need):
            _walk(space, next(attempts))
            site.wait_refused(need, namespace=space.namespace)
            assert _told(space) == before
        _walk(space, next(attempts))
        space.wait_for(lambda: _told(space) == before + 1, "the Event tells of the walk once more")


def let_go(site: Site, need: Need) -> None:
    """LET_GO"""
    with site.space() as space:
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        with site.lacking(need):
            space.store.delete(Ref(kinds.WORKFLOW, space.namespace, "hello"))
            site.wait_refused(need, namespace=space.namespace)
            assert _all(space, kinds.WORKFLOW)
        space.wait_for(lambda: not _all(space, kinds.WORKFLOW), "the workflow is gone")


def pin(site: Site, need: Need) -> None:
    """PIN"""
    with site.space() as space:
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        with site.lacking(need):
            run = space.start("hello")
            site.wait_refused(need, namespace=space.namespace)
            assert "pin" not in space.run(run)["spec"]
        assert space.wait_ended(run)["status"]["phase"] == "Succeeded"


def turn_away(site: Site, need: Need) -> None:
    """TURN_AWAY"""
    with site.space() as space:
        space.apply(kinds.ENVIRONMENT_STATE, "hello.local", {"state": "Inactive"})
        space.apply_workflow("hello", "output = 1")
        space.wait_published("hello", "v1")
        with site.lacking(need):
            run = space.start("hello")
            site.wait_refused(need, namespace=space.namespace)
            assert "endedAt" not in space.run(run).get("status", {})
        assert space.wait_ended(run)["status"]["phase"] == "Rejected"


def sweep(site: Site, need: Need) -> None:
    """SWEEP"""
    with site.space() as space:
        old, new = space.start("nothing"), space.start("nothing")
        for run in (old, new):
            space.wait_ended(run)
        ended = {"status": {"endedAt": "2020-01-01T00:00:00Z"}}
        space.store.patch(Ref(kinds.WORKFLOW_RUN, space.namespace, old), ended, status=True)
        with site.lacking(need):
            space.wait_for(
                lambda: site.has_refused(need, namespace=space.namespace),
                "ended runs are to be deleted",
                patience_s=SWEPT_S,
            )
            assert len(_all(space, kinds.WORKFLOW_RUN)) == 2
        space.wait_for(lambda: len(_all(space, kinds.WORKFLOW_RUN)) == 1, "the old one is gone")
        assert space.run(new)


def _ask_for_approval(space: Workspace) -> None:
    steps = [{"name": "only", "action": {"python": {"code": "output = 1"}}}]
    publish = {"approval": {"users": [OWNER]}}
    space.apply(kinds.WORKFLOW, "careful", {"owner": OWNER, "publish": publish, "definition": {"steps": steps}})


def _all(space: Workspace, kind: KindInfo) -> list[Obj]:
    return space.store.list(kind, space.namespace).items


def _walk(space: Workspace, attempt: int) -> None:
    """Have v2 walk until it pauses: publish it, or stop it and start again. Each time the same is told of step 1."""
    rollout = Ref(kinds.ROLLOUT, space.namespace, "hello")
    if attempt == 1:
        space.apply_workflow("hello", "output = 2")
    else:
        space.store.patch(rollout, {"spec": {"stops": {"v2": {"attempt": attempt - 1, "reason": "again"}}}})
        space.wait_for(lambda: _candidate(space).get("stopped"), "v2 is stopped")
        space.store.patch(rollout, {"spec": {"retries": {"v2": {"attempt": attempt}}}})

    def pauses() -> bool:
        candidate = _candidate(space)
        return (candidate.get("attempt"), candidate.get("step")) == (attempt, 1) and not candidate.get("stopped")

    space.wait_for(pauses, f"v2 pauses in attempt {attempt}")


def _candidate(space: Workspace) -> Obj:
    status = space.store.get(Ref(kinds.WORKFLOW, space.namespace, "hello")).get("status") or {}
    return (status.get("rollout") or {}).get("candidate") or {}


def _told(space: Workspace) -> int:
    """How often Events tell of v2's first step."""
    events = _all(space, EVENT)
    return sum(event["count"] for event in events if event["message"] == "v2 goes on to step 1")
