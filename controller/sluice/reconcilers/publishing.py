"""Carrying out a publish: claim, then create; everything under names that can only be taken once."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sluice.api import kinds
from sluice.api.approval import ApprovalPhase
from sluice.api.reasons import Reason
from sluice.api.workflow import Workflow
from sluice.api.workflowversion import VersionPhase
from sluice.domain.identity import version_id
from sluice.domain.publishing.facts import NewApproval, NewVersion, PublishPlan, VersionMove
from sluice.domain.timestamps import stamp
from sluice.ports.errors import AlreadyExists, Conflict, NotFound
from sluice.ports.ledger import AuditEvent
from sluice.ports.store import Obj, Ref
from sluice.reconcilers.reporting import write_status
from sluice.reconcilers.world import CONTROLLER, VERSION_LABEL, WORKFLOW_LABEL, World
from sluice.runtime.outcome import DONE, Result
from sluice.runtime.queue import Key

FINALIZER = "sluice.dev/runs"
"""Keeps a workflow, and with it its versions, until its runs have ended."""


def read(world: World, ref: Ref, *, live: bool) -> Obj | None:
    """An object from the cache or, ``live``, from the server; None if there is none."""
    if not live:
        return world.caches.of(ref.kind).get(Key(ref.namespace, ref.name))
    try:
        return world.store.get(ref)
    except NotFound:
        return None


def hold_on(world: World, obj: Obj) -> Obj:
    """Make sure that the workflow does not go before its runs have ended."""
    finalizers = obj["metadata"].get("finalizers", [])
    if FINALIZER in finalizers:
        return obj
    held = {**obj, "metadata": {**obj["metadata"], "finalizers": [*finalizers, FINALIZER]}}
    return world.store.update(held, manager=CONTROLLER)


def let_go(world: World, obj: Obj) -> Result:
    """Let a deleted workflow go once no run of it is open; new ones are rejected, and the last one's end wakes it."""
    finalizers = obj["metadata"].get("finalizers", [])
    if FINALIZER not in finalizers:
        return DONE
    uid = obj["metadata"]["uid"]
    if any(run.workflow_uid == uid for run in world.ledger.open_runs()):
        return DONE
    rest = [finalizer for finalizer in finalizers if finalizer != FINALIZER]
    world.store.update({**obj, "metadata": {**obj["metadata"], "finalizers": rest}}, manager=CONTROLLER)
    return DONE


def apply(world: World, workflow: Workflow, plan: PublishPlan) -> None:
    """Record numbers, create the version, ask for approvals, withdraw old ones."""
    if plan.create is not None:
        _create_version(world, workflow, plan.create)
    for number, digest, level in plan.record:
        published = _published(world, workflow, number)
        world.ledger.record_version(workflow.metadata.uid, number, digest, level, published)
    for approval in plan.approvals:
        _create_approval(world, workflow, approval)
    for name in plan.withdraw:
        _withdraw(world, workflow.metadata.namespace, name)


def move(world: World, workflow: Workflow, plan: PublishPlan) -> None:
    """Move versions on, after the status that says why: a version's outcome is a fact that rollouts are planned from."""
    for each in plan.moves:
        _move(world, workflow.metadata.namespace, each)


def _published(world: World, workflow: Workflow, number: int) -> AuditEvent | None:
    """The audit entry of a publish: who, what, when (R253)."""
    metadata = workflow.metadata
    version = world.caches.versions.get(Key(metadata.namespace, f"{metadata.name}-v{number}"))
    if version is None:
        return None
    spec = version["spec"]
    told = ("number", "digest", "publishedAt", "source", "revertOf", "reason")
    body = {name: spec[name] for name in told if name in spec}
    body["from"] = (spec.get("source") or {}).get("manager") or CONTROLLER
    who = spec["publishedBy"]
    return AuditEvent(
        world.ledger.now(), who, "workflow.published", metadata.namespace, f"workflow/{metadata.name}", body
    )


def _create_version(world: World, workflow: Workflow, new: NewVersion) -> None:
    """Create ``<workflow>-v<N>``. Conflict if it is there already: nobody who has seen it asks for it."""
    spec = new.spec
    version: Obj = {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.WORKFLOW_VERSION.kind,
        "metadata": _owned(workflow, new.name) | {"labels": _labels(workflow, spec.number)},
        "spec": _wire(spec),
    }
    try:
        world.store.create(version, manager=CONTROLLER)
    except AlreadyExists:
        found = world.store.get(Ref(kinds.WORKFLOW_VERSION, workflow.metadata.namespace, new.name))["spec"]
        same = (found["workflowUid"], found["digest"]) == (spec.workflow_uid, spec.digest)
        why = "is there and not known of here yet" if same else "exists with another definition; its number is taken"
        raise Conflict(f"{new.name} {why}") from None
    what = f"a revert to {spec.revert_of}" if spec.revert_of else spec.digest.removeprefix("sha256:")[:12]
    told = f"v{spec.number} is published ({what}) by {spec.published_by}"
    world.recorder.record(_about(workflow), "Normal", Reason.PUBLISHED, told)


def _about(workflow: Workflow) -> Obj:
    metadata = workflow.metadata.model_dump(by_alias=True, include={"name", "namespace", "uid", "resource_version"})
    return {"apiVersion": workflow.api_version, "kind": workflow.kind, "metadata": metadata}


def _create_approval(world: World, workflow: Workflow, new: NewApproval) -> None:
    approval: Obj = {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.APPROVAL.kind,
        "metadata": _owned(workflow, new.name) | {"labels": {WORKFLOW_LABEL: workflow.metadata.name}},
        "spec": _wire(new.spec),
    }
    try:
        world.store.create(approval, manager=CONTROLLER)
    except AlreadyExists:
        return  # named after its version: asked for once


def _withdraw(world: World, namespace: str, name: str) -> None:
    approval = world.caches.approvals.get(Key(namespace, name))
    if approval is not None:
        status = {**approval.get("status", {}), "phase": ApprovalPhase.WITHDRAWN.value}
        write_status(world, approval, status)


def _move(world: World, namespace: str, move: VersionMove) -> None:
    """Say in a version's status what became of it. An older copy of it is refused, and looked at again."""
    version = read(world, Ref(kinds.WORKFLOW_VERSION, namespace, move.name), live=False)
    if version is None:
        return
    metadata = version["metadata"]
    status: dict[str, Any] = {
        "observedGeneration": metadata.get("generation", 1),
        "id": version_id(metadata["uid"]),
        "phase": move.phase.value,
        "conditions": [_ready(world, version, move)],
    }
    if move.outcome:
        status["outcome"] = move.outcome
    write_status(world, version, status)


_HINDRANCES = {
    VersionPhase.PENDING_APPROVAL: Reason.WAITING_FOR_APPROVAL,
    VersionPhase.REJECTED: Reason.APPROVAL_REJECTED,
}


def _ready(world: World, version: Obj, move: VersionMove) -> dict[str, Any]:
    hindrance = _HINDRANCES.get(move.phase)
    status, reason = ("False", hindrance) if hindrance else ("True", Reason.PUBLISHED)
    known = {condition["type"]: condition for condition in version.get("status", {}).get("conditions", ())}
    before = known.get("Ready", {})
    return {
        "type": "Ready",
        "status": status,
        "reason": reason.value,
        "message": "",
        "observedGeneration": version["metadata"].get("generation", 1),
        "lastTransitionTime": before["lastTransitionTime"]
        if before.get("status") == status
        else stamp(world.clock.now()),
    }


def _owned(workflow: Workflow, name: str) -> dict[str, Any]:
    metadata = workflow.metadata
    owner = {
        "apiVersion": workflow.api_version,
        "kind": workflow.kind,
        "name": metadata.name,
        "uid": metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"name": name, "namespace": metadata.namespace, "ownerReferences": [owner]}


def _labels(workflow: Workflow, number: int) -> dict[str, str]:
    return {WORKFLOW_LABEL: workflow.metadata.name, VERSION_LABEL: f"v{number}"}


def _wire(spec: BaseModel) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)
