"""Merge patches (RFC 7386) and JSON patches (RFC 6902) of JSON values."""

from __future__ import annotations

from typing import Any

MAX_JSON_PATCH_OPERATIONS = 10_000
MAX_TOLD = 200
"""Characters of the reason: a failed test quotes both values, which may be large."""


class BadPatch(ValueError):
    """The patch is no patch at all."""


class PatchFailed(ValueError):
    """The patch is well formed but does not fit the document: a missing path, a failed test."""


def merge_patched(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` merged in: maps merge, null removes, everything else replaces. Changes neither."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patched(merged.get(key), value)
    return merged


def json_patched(target: Any, patch: Any) -> Any:
    """``target`` after the operations of ``patch``. May change ``target``: hand in a copy.

    Raises BadPatch when ``patch`` is no list of operations, PatchFailed when one of them can't be carried out.
    """
    import jsonpatch  # noqa: PLC0415 - few writes are JSON patches, and the import is not free

    if not isinstance(patch, list) or not all(isinstance(operation, dict) for operation in patch):
        raise BadPatch('a JSON patch is a list of operations, such as [{"op": "add", "path": "/spec/x", "value": 1}]')
    if len(patch) > MAX_JSON_PATCH_OPERATIONS:
        raise BadPatch(
            f"the allowed maximum operations in a JSON patch is {MAX_JSON_PATCH_OPERATIONS}, got {len(patch)}"
        )
    try:
        jsonpatch.JsonPatch(patch)
    except jsonpatch.InvalidJsonPatch as error:
        raise BadPatch(f"the JSON patch can't be read: {error}") from error
    except jsonpatch.JsonPointerException as error:
        raise PatchFailed(f"the JSON patch can't be applied: {error}") from error
    for operation in patch:
        try:
            target = jsonpatch.JsonPatch([operation]).apply(target, in_place=True)
        except jsonpatch.InvalidJsonPatch as error:
            raise BadPatch(f"the JSON patch can't be read: {_told(operation, error)}") from error
        except (
            jsonpatch.JsonPatchException,
            jsonpatch.JsonPointerException,
            TypeError,
            ValueError,
            KeyError,
            IndexError,
        ) as error:
            raise PatchFailed(f"the JSON patch can't be applied: {_told(operation, error)}") from error
    return target


def _told(operation: dict[str, Any], error: Exception) -> str:
    """Which operation it was, and why; the library's own words go on with the whole object where a member is missing."""
    why = str(error).partition(" not found in ")
    return f"{operation.get('op')} {operation.get('path')}: {why[0][:MAX_TOLD]}{' is not there' if why[1] else ''}"
