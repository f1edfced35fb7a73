"""From a patch or an apply to the next object."""

from __future__ import annotations

from typing import Any

from sluice.adapters.sqlite.changes import Proposal, require_version
from sluice.adapters.sqlite.refusals import invalid, other_uid
from sluice.adapters.sqlite.rows import copied
from sluice.adapters.sqlite.transitions import metadata_of, replaced, status_replaced
from sluice.api.kinds import KindInfo
from sluice.domain.objects.comparison import ownable, undeclared
from sluice.domain.objects.handover import disputed
from sluice.domain.objects.metadata import Problem
from sluice.domain.objects.ownership import By, Entry, OwnershipConflict, after_apply
from sluice.domain.objects.patches import BadPatch, PatchFailed, json_patched, merge_patched
from sluice.domain.objects.shapes import Shape
from sluice.ports.errors import BadRequest, Cause, Conflict, FieldConflict, Invalid
from sluice.ports.store import Obj, PatchType, Ref


def proposed_by_patch(kind: KindInfo, old: Obj, patch: Any, type: PatchType, *, status: bool) -> Proposal:
    """``old`` after a patch of everything but status, or of status alone."""
    if type == "merge" and not isinstance(patch, dict):
        raise BadRequest("a merge patch is a map with the fields to change")
    try:
        patched = merge_patched(old, patch) if type == "merge" else json_patched(copied(old), patch)
    except BadPatch as error:
        raise BadRequest(str(error)) from error
    except PatchFailed as error:
        raise invalid(kind, old["metadata"]["name"], [Problem("patch", f"Invalid value: {error}")]) from error
    if not isinstance(patched, dict):
        raise BadRequest("the patch leaves no object")
    _check_same_object(kind, old, patched)
    require_version(kind, old, metadata_of(patched).get("resourceVersion") or "")
    return Proposal(status_replaced(old, patched) if status else replaced(kind, old, patched))


def wanted_by_apply(shape: Shape, ref: Ref, obj: Obj, manager: str, *, status: bool) -> Obj:
    """The caller's copy of what it applies, reduced to what this endpoint takes. BadRequest when that can't be."""
    if not manager:
        problem = Problem("fieldManager", "Required value: is required for apply patch", "FieldValueRequired")
        raise Invalid(f'PatchOptions.meta.k8s.io "" is invalid: {problem.field}: {problem.message}', (Cause(*problem),))
    metadata = metadata_of(obj)
    if metadata.get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil; leave it out of what you apply")
    other = "spec" if status else "status"
    wanted: Obj = copied({key: value for key, value in obj.items() if key != other or not ref.kind.has_status})
    wanted["metadata"] = {key: value for key, value in metadata.items() if value not in (None, {}, [])}
    if path := undeclared(shape, ownable(wanted)):
        what = f"{ref.namespace}/{ref.name}; {ref.kind.api_version}, Kind={ref.kind.kind}"
        raise BadRequest(f"failed to create typed patch object ({what}): {path}: field not declared in schema")
    return wanted


def proposed_by_apply(kind: KindInfo, shape: Shape, live: Obj | None, wanted: Obj, *, by: By, force: bool) -> Proposal:
    """``wanted`` merged into ``live`` by ownership. Conflict naming each field and its manager."""
    metadata = wanted["metadata"]
    managed: list[Entry] = []
    if live is not None:
        require_version(kind, live, metadata.get("resourceVersion") or "")
        if metadata.get("uid") and metadata["uid"] != live["metadata"]["uid"]:
            raise other_uid(kind, live, metadata["uid"])
        managed = live["metadata"].get("managedFields") or []
    try:
        applied = after_apply(shape, live, copied(wanted), managed=managed, by=by, force=force)
    except OwnershipConflict as error:
        claims = disputed(shape, live or {}, error.claims, by)
        if claims:
            fields = tuple(FieldConflict(claim.entry.get("manager", ""), claim.field) for claim in claims)
            raise Conflict(str(OwnershipConflict(claims)), fields) from error
        applied = after_apply(shape, live, copied(wanted), managed=managed, by=by, force=True)
    obj = applied.obj
    obj["metadata"] = dict(obj.get("metadata") or {})
    return Proposal(obj, applied.managed)


def _check_same_object(kind: KindInfo, old: Obj, new: Obj) -> None:
    """Refuse a change that would turn one object into another."""
    metadata = metadata_of(new)
    for field in ("name", "namespace"):
        before, after = old["metadata"].get(field, ""), metadata.get(field) or ""
        if before != after:
            raise BadRequest(f"the {field} of the object ({after}) does not match the {field} on the URL ({before})")
    problems = [
        Problem(field, f'Invalid value: "{new[field]}": must be {old[field]}')
        for field in ("apiVersion", "kind")
        if new.get(field, old[field]) != old[field]
    ]
    if problems:
        raise invalid(kind, old["metadata"]["name"], problems)
