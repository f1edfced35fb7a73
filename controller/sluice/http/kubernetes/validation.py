"""Checks of what a client sends before the store sees it: is it the object that the URL names, are its fields known?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.http.kubernetes.catalog import Catalog, Resource, Schema
from sluice.http.kubernetes.errors import Refused, bad_request
from sluice.http.kubernetes.fields import unknown_fields, unknown_in_patch
from sluice.http.kubernetes.options import Validation
from sluice.http.kubernetes.paths import Target
from sluice.ports.store import Obj


def require_object(content: Any, target: Target) -> Obj:
    """The body as an object of the kind and place that the URL names; missing names are taken from the URL."""
    if not isinstance(content, dict):
        raise bad_request("the body must be an object")
    kind = target.resource.kind
    _require_kind(content, target.resource)
    metadata = content.get("metadata")
    if metadata is None:
        metadata = content["metadata"] = {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata: must be an object")
    namespace = metadata.get("namespace")
    if not kind.namespaced:
        metadata.pop("namespace", None)
    elif not namespace:
        metadata["namespace"] = target.namespace
    elif namespace != target.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if target.name and metadata.setdefault("name", target.name) != target.name:
        name = metadata["name"]
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({target.name})")
    return content


def check_fields(
    content: Any, duplicates: Sequence[str], *, resource: Resource, catalog: Catalog, validation: Validation
) -> list[str]:
    """Warnings about unknown and doubled fields; with ``Strict`` they are refused instead."""
    if validation is Validation.IGNORE:
        return []
    schema = catalog.schema_of(resource.stored)
    unknown = [] if schema is None else _unknown(content, schema)
    problems = [*(f'unknown field "{path}"' for path in unknown), *duplicates]
    if problems and validation is Validation.STRICT:
        kind = resource.kind
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            f"strict decoding error: {', '.join(problems)}"
        )
    return problems


def check_applied(obj: Obj, target: Target, catalog: Catalog) -> None:
    """Server-side apply owns fields, so it takes none that the schema doesn't know, whatever the client asks for."""
    schema = catalog.schema_of(target.resource.stored)
    unknown = unknown_fields(obj, schema) if schema is not None else []
    if unknown:
        kind = target.resource.kind
        place = f"{target.namespace}/{target.name}" if target.namespace else f"/{target.name}"
        problems = ", ".join(f".{path}: field not declared in schema" for path in unknown)
        message = f"failed to create typed patch object ({place}; {kind.api_version}, Kind={kind.kind}): {problems}"
        raise Refused(400, "BadRequest", message)


def _unknown(content: Any, schema: Schema) -> list[str]:
    return unknown_in_patch(content, schema) if isinstance(content, list) else unknown_fields(content, schema)


def _require_kind(content: Obj, resource: Resource) -> None:
    kind = resource.kind
    if not resource.is_custom:
        # Typed clients leave both out where the URL says it.
        content["apiVersion"] = content.get("apiVersion") or kind.api_version
        content["kind"] = content.get("kind") or kind.kind
    for field in ("apiVersion", "kind"):
        if not content.get(field):
            raise bad_request(f"Object '{field[0].upper()}{field[1:]}' is missing: set {field}")
    if (content["apiVersion"], content["kind"]) != (kind.api_version, kind.kind):
        raise bad_request(
            f'the object provided is "{content["kind"]}" in version "{content["apiVersion"]}"; '
            f'this place takes "{kind.kind}" in version "{kind.api_version}"'
        )
