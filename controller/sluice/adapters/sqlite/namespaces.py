"""What is special about namespaces: a phase, a name label, a first one, and a deletion that empties them first."""

from __future__ import annotations

from sluice.adapters.sqlite.refusals import forbidden
from sluice.adapters.sqlite.transitions import marked_for_deletion
from sluice.api.kinds import NAMESPACE
from sluice.ports.store import Obj

FIRST = "default"
NAME_LABEL = "kubernetes.io/metadata.name"


def manifest(name: str) -> Obj:
    """A namespace to create."""
    return {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": {"name": name}}


def completed(obj: Obj) -> None:
    """Give a new namespace what each one has; in place."""
    metadata = obj["metadata"]
    metadata["labels"] = {**metadata.get("labels", {}), NAME_LABEL: metadata["name"]}
    obj["spec"] = {"finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}


def terminating(old: Obj, now: str) -> Obj:
    """A namespace that is being emptied. Forbidden for the first one."""
    metadata = old["metadata"]
    if metadata["name"] == FIRST:
        raise forbidden(NAMESPACE, FIRST, "this namespace may not be deleted")
    marked = marked_for_deletion(old, now=now, finalizers=list(metadata.get("finalizers") or ()))
    return {**marked, "status": {**old.get("status", {}), "phase": "Terminating"}}
