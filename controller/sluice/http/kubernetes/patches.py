"""The four kinds of patch bodies, told apart by media type."""

from __future__ import annotations

from typing import Any

from sluice.http.kubernetes.bodies import decode_json, decode_yaml
from sluice.http.kubernetes.catalog import Resource
from sluice.http.kubernetes.errors import bad_request, unsupported_media_type
from sluice.ports.store import PatchType

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"

_DIRECTIVES = ("$setElementOrder/", "$retainKeys", "$patch")
_DELETE_PREFIX = "$deleteFromPrimitiveList/"


def accepted(resource: Resource) -> str:
    """The media types that a patch of this kind may have; strategic merge is for Kubernetes' own kinds alone."""
    types = (JSON_PATCH, MERGE, APPLY) if resource.is_custom else (JSON_PATCH, MERGE, APPLY, STRATEGIC)
    return ", ".join(types)


def decode_patch(
    body: bytes, media_type: str, resource: Resource, *, find_duplicates: bool
) -> tuple[PatchType | None, Any, tuple[str, ...]]:
    """The patch's type (None for server-side apply), its content, and the fields that it gives twice."""
    if media_type not in accepted(resource).split(", "):
        raise unsupported_media_type(accepted(resource))
    read = decode_yaml if media_type == APPLY else decode_json
    decoded = read(body, find_duplicates=find_duplicates)
    content = decoded.content
    if media_type == JSON_PATCH:
        if not isinstance(content, list):
            raise bad_request("a JSON patch is a list of operations")
        return "json", content, decoded.duplicates
    if not isinstance(content, dict):
        raise bad_request("a patch is an object with the fields to change")
    if media_type == APPLY:
        return None, content, decoded.duplicates
    return "merge", _as_merge(content) if media_type == STRATEGIC else content, decoded.duplicates


def _as_merge(patch: Any) -> Any:
    """A strategic merge patch as a merge patch.

    The kinds of Kubernetes that are served have maps all over; where their lists differ, the whole list is sent, so the
    directives about the order of list elements carry nothing.
    """
    if isinstance(patch, list):
        return [_as_merge(item) for item in patch]
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "delete":
        return None
    for key in patch:
        if key.startswith(_DELETE_PREFIX):
            field = key.removeprefix(_DELETE_PREFIX)
            raise bad_request(f"{key} is not understood here: send the whole of {field} in a merge patch")
    return {key: _as_merge(value) for key, value in patch.items() if not key.startswith(_DIRECTIVES)}
