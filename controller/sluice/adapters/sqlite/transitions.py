"""What becomes of an object when it is created, replaced, marked for deletion: metadata, generation, status.

Pure functions from the stored object and what was asked to the next object; all raise the errors of the ports.
"""

from __future__ import annotations

import uuid
from typing import Any

from sluice.adapters.sqlite.refusals import invalid, other_uid
from sluice.adapters.sqlite.rows import copied, same
from sluice.api.kinds import GROUP, KindInfo
from sluice.domain.objects.metadata import KNOWN_FIELDS, Problem, metadata_problems, name_problems, shape_problem
from sluice.ports.errors import BadRequest
from sluice.ports.store import Obj

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
SYSTEM_FIELDS = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
IDENTITY = frozenset({"apiVersion", "kind", "metadata"})
APART_FROM_SPEC = frozenset({"apiVersion", "kind", "metadata", "status"})


def metadata_of(obj: Obj) -> dict[str, Any]:
    """The metadata of an object that a caller handed in. BadRequest when it can't be read."""
    metadata = obj.get("metadata")
    metadata = {} if metadata is None else metadata
    if problem := shape_problem(metadata):
        raise BadRequest(f"{obj.get('kind', 'the object')} can't be read: {problem}")
    return metadata


def created(kind: KindInfo, given: Obj, *, name: str, namespace: str, now: str) -> Obj:
    """A new object with its system fields; nothing of what only the server may say is taken over."""
    metadata = metadata_of(given)
    if metadata.get("resourceVersion"):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    new: Obj = copied({key: value for key, value in given.items() if not (kind.has_status and key == "status")})
    kept = _kept(new.get("metadata") or {})
    for field in (*SYSTEM_FIELDS, "resourceVersion"):
        kept.pop(field, None)
    kept["name"] = name
    if kind.namespaced:
        kept["namespace"] = namespace
    kept["uid"] = str(uuid.uuid4())
    kept["creationTimestamp"] = now
    if kind.group == GROUP:
        kept["generation"] = 1
    new["metadata"] = kept
    return new


def replaced(kind: KindInfo, old: Obj, given: Obj) -> Obj:
    """``old`` with everything but status as ``given`` says it."""
    metadata = metadata_of(given)
    _check_identity(kind, old["metadata"], metadata)
    new: Obj = copied({key: value for key, value in given.items() if not (kind.has_status and key == "status")})
    if kind.has_status and "status" in old:
        new["status"] = old["status"]
    kept = _kept(new.get("metadata") or {})
    for field in (*SYSTEM_FIELDS, "name", "namespace", "resourceVersion"):
        kept.pop(field, None)
        if field in old["metadata"]:
            kept[field] = old["metadata"][field]
    new["metadata"] = kept
    return new


def status_replaced(old: Obj, given: Obj) -> Obj:
    """``old`` with the status of ``given``, and nothing else of it."""
    new = dict(old)
    new["metadata"] = dict(old["metadata"])
    new.pop("status", None)
    if given.get("status") is not None:
        new["status"] = copied(given["status"])
    return new


def spec_changed(old: Obj, new: Obj) -> bool:
    """True if anything but metadata and status differs."""
    if any(not same(value, old.get(key)) for key, value in new.items() if key not in APART_FROM_SPEC):
        return True
    return any(key not in new for key in old if key not in APART_FROM_SPEC)


def with_generation(old: Obj, new: Obj) -> None:
    """Raise ``new``'s generation if it asks for something else than ``old``."""
    generation = old["metadata"].get("generation")
    if generation is not None:
        new["metadata"]["generation"] = generation + 1 if spec_changed(old, new) else generation


def check(kind: KindInfo, new: Obj, old: Obj | None = None) -> None:
    """Refuse metadata that breaks Kubernetes' rules; unchanged parts are not looked at again."""
    metadata = new["metadata"]
    before = old["metadata"] if old is not None else None
    problems = metadata_problems(metadata, before)
    if before is None:
        problems += name_problems(metadata["name"], label=kind.kind == "Namespace")
    elif "deletionTimestamp" in before:
        added = sorted(set(metadata.get("finalizers") or ()) - set(before.get("finalizers") or ()))
        if added:
            shown = ", ".join(f'"{name}"' for name in added)
            message = (
                "Forbidden: no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{shown}}}"
            )
            problems.append(Problem("metadata.finalizers", message, "FieldValueForbidden"))
    if problems:
        raise invalid(kind, metadata["name"], problems)


def marked_for_deletion(old: Obj, *, now: str, finalizers: list[str]) -> Obj:
    """``old`` as it waits for ``finalizers`` to be removed."""
    metadata = {**old["metadata"], "finalizers": finalizers}
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = now
        metadata["deletionGracePeriodSeconds"] = 0
        if "generation" in metadata:
            metadata["generation"] += 1
    if not finalizers:
        del metadata["finalizers"]
    return {**old, "metadata": metadata}


def is_finished(obj: Obj) -> bool:
    """True if the object is being deleted and nothing holds it any more."""
    metadata = obj["metadata"]
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def _kept(metadata: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``metadata`` that Kubernetes knows and that say something."""
    return {key: value for key, value in metadata.items() if key in KNOWN_FIELDS and value not in (None, {}, [], "")}


def _check_identity(kind: KindInfo, old: dict[str, Any], new: dict[str, Any]) -> None:
    uid = new.get("uid")
    if uid and uid != old["uid"]:
        raise other_uid(kind, {"metadata": old}, uid)
