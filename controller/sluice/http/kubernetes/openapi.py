"""OpenAPI v3 documents, one for each group and version: what ``kubectl explain`` shows and kubectl probes.

Before it sends a write, kubectl looks here whether PATCH of the kind takes ``dryRun`` and ``fieldValidation``; without
these it validates by itself, or refuses ``diff``.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

import sluice
from sluice.api.kinds import KindInfo
from sluice.http.kubernetes.builtin_schemas import OBJECT_META
from sluice.http.kubernetes.catalog import Catalog, Resource
from sluice.http.kubernetes.discovery import KUBERNETES_MINOR
from sluice.ports.store import Obj

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Type of the empty document that kubectl up to 1.28 is content with."""

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_META_NAME = f"{_META}.ObjectMeta"
_GVK = "x-kubernetes-group-version-kind"
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_PATCH_TYPES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")


def path_of(api_version: str) -> str:
    """``api/v1`` or ``apis/<group>/<version>``, as the index names documents."""
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


def index(documents: dict[str, bytes]) -> Obj:
    """``/openapi/v3``: where each document is; the hash in the URL changes with it, so clients may keep it."""
    paths = {}
    for path, document in documents.items():
        digest = hashlib.sha256(document).hexdigest()[:32].upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def documents(catalog: Catalog) -> dict[str, bytes]:
    """Every document, encoded, by its path."""
    return {
        path_of(api_version): orjson.dumps(document(api_version, catalog)) for api_version in catalog.api_versions()
    }


def document(api_version: str, catalog: Catalog) -> Obj:
    """The document of one group and version."""
    paths: Obj = {}
    schemas: Obj = {_META_NAME: OBJECT_META}
    for resource in catalog.resources():
        if resource.kind.api_version == api_version:
            paths.update(_paths(resource))
            schemas.update(_schemas(resource, catalog))
    return {
        "openapi": "3.0.0",
        "info": {"title": "Sluice", "version": f"v1.{KUBERNETES_MINOR}.0+sluice-{sluice.__version__}"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schema_name(kind: KindInfo) -> str:
    reverse = ".".join(reversed(kind.group.split("."))) if "." in kind.group else f"io.k8s.api.{kind.group or 'core'}"
    return f"{reverse}.{kind.version}.{kind.kind}"


def _gvk(kind: KindInfo, suffix: str = "") -> dict[str, str]:
    return {"group": kind.group, "version": kind.version, "kind": f"{kind.kind}{suffix}"}


def _schemas(resource: Resource, catalog: Catalog) -> Obj:
    kind = resource.kind
    given = dict(catalog.schema_of(kind) or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    metadata = {"description": "Standard object metadata.", "allOf": [_reference(_META_NAME)], "default": {}}
    given["properties"] = {
        "apiVersion": {"type": "string", "description": f"Always {kind.api_version}."},
        "kind": {"type": "string", "description": f"Always {kind.kind}."},
        **given.get("properties", {}),
        "metadata": metadata,
    }
    given[_GVK] = [_gvk(kind)]
    name = _schema_name(kind)
    listed = {
        "type": "object",
        "description": f"A list of {kind.plural}.",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "items": {"type": "array", "items": _reference(name)},
        },
        _GVK: [_gvk(kind, "List")],
    }
    return {name: given, f"{name}List": listed}


def _paths(resource: Resource) -> Obj:
    kind = resource.kind
    scope = "namespaces/{namespace}/" if kind.namespaced else ""
    collection = f"/{path_of(kind.api_version)}/{scope}{kind.plural}"
    above: list[Obj] = [_parameter("namespace", "path")] if kind.namespaced else []
    paths = {
        collection: {"parameters": above, **_operations(resource, {"list": "get", "create": "post"})},
        f"{collection}/{{name}}": {
            "parameters": [*above, _parameter("name", "path")],
            **_operations(resource, {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}),
        },
    }
    if kind.has_status:
        paths[f"{collection}/{{name}}/status"] = {
            "parameters": [*above, _parameter("name", "path")],
            **_operations(resource, {"get": "get", "update": "put", "patch": "patch"}),
        }
    return paths


def _operations(resource: Resource, methods: dict[str, str]) -> Obj:
    return {method: _operation(resource, verb) for verb, method in methods.items() if verb in resource.verbs}


def _operation(resource: Resource, verb: str) -> Obj:
    name = _schema_name(resource.kind)
    answered = _reference(f"{name}List" if verb == "list" else name)
    operation: dict[str, Any] = {
        "operationId": f"{verb}{resource.kind.group.title().replace('.', '')}{resource.kind.kind}",
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": answered}}}},
        "x-kubernetes-action": {"create": "post", "update": "put"}.get(verb, verb),
        _GVK: _gvk(resource.kind),
    }
    if verb in {"create", "update", "patch"}:
        names = (*_WRITE_PARAMETERS, "force") if verb == "patch" else _WRITE_PARAMETERS
        operation["parameters"] = [_parameter(each, "query") for each in names]
        types = _PATCH_TYPES if verb == "patch" else ("application/json", "application/yaml")
        operation["requestBody"] = {
            "required": True,
            "content": {each: {"schema": {"type": "object"}} for each in types},
        }
    elif verb == "delete":
        operation["parameters"] = [_parameter("dryRun", "query"), _parameter("propagationPolicy", "query")]
    return operation


def _parameter(name: str, where: str) -> Obj:
    kind = "boolean" if name == "force" else "string"
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": kind, "uniqueItems": True}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
