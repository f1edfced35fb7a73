"""Where an object or a collection is on a Kubernetes API server."""

from __future__ import annotations

from urllib.parse import quote

from sluice.api.kinds import KindInfo, kind_of
from sluice.ports.errors import BadRequest
from sluice.ports.store import Obj, Ref


def collection(kind: KindInfo, namespace: str) -> str:
    """The path of all objects of a kind; of all namespaces when ``namespace`` is empty."""
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    if not kind.namespaced or not namespace:
        return f"{root}/{kind.plural}"
    return f"{root}/namespaces/{_segment('namespace', namespace)}/{kind.plural}"


def item(ref: Ref, *, status: bool = False) -> str:
    """The path of one object, or of its status.

    BadRequest for a name that would make it another path: an empty one names the whole collection, and deleting that
    deletes everything.
    """
    if ref.kind.namespaced and not ref.namespace:
        raise BadRequest(f"{ref.kind.resource}: an empty namespace may not be set when a resource name is provided")
    path = f"{collection(ref.kind, ref.namespace)}/{_segment('name', ref.name)}"
    return f"{path}/status" if status else path


def kind_in(obj: Obj) -> KindInfo:
    """The kind that a manifest names. BadRequest if Sluice doesn't know it."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    known = kind_of(api_version, kind)
    if known is None:
        raise BadRequest(f'no matches for kind "{kind}" in version "{api_version}"')
    return known


def ref_in(obj: Obj) -> Ref:
    """What a manifest is about."""
    metadata = obj.get("metadata") or {}
    return Ref(kind_in(obj), str(metadata.get("namespace", "")), str(metadata.get("name", "")))


def _segment(what: str, text: str) -> str:
    """One part of a path. Dots alone are steps between folders, which clients on the way resolve."""
    if text in {"", ".", ".."}:
        raise BadRequest(f'metadata.{what}: "{text}" names nothing; give a {what}')
    return quote(text, safe="")
