"""Which object or collection a URL names."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.api.kinds import NAMESPACE
from sluice.http.kubernetes.catalog import Catalog, Resource
from sluice.ports.store import Ref

_NAMESPACE_SUBRESOURCES = {"status", "finalize"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a collection when ``name`` is empty, across namespaces when ``namespace`` is empty too."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def ref(self) -> Ref:
        """The stored object that is named."""
        return Ref(self.resource.stored, self.namespace, self.name)

    @property
    def spans_namespaces(self) -> bool:
        """Whether this is a collection of a namespaced kind over all namespaces: it can be read, not written."""
        return self.resource.kind.namespaced and not self.namespace


def target_of(path: str, catalog: Catalog) -> Target | None:
    """The target of ``/api/v1/...`` or ``/apis/<group>/<version>/...``; None when nothing is served there."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        return _within(parts[1], parts[2:], catalog) if parts[1] == "v1" else None
    if parts[0] == "apis" and len(parts) > 3:
        return _within(f"{parts[1]}/{parts[2]}", parts[3:], catalog)
    return None


def _within(api_version: str, parts: list[str], catalog: Catalog) -> Target | None:
    namespace = ""
    inside_namespace = parts[0] == NAMESPACE.plural and len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES
    if inside_namespace:
        namespace, parts = parts[1], parts[2:]
    if len(parts) > 3 or not all(parts):
        return None
    resource = catalog.find(api_version, parts[0])
    name = parts[1] if len(parts) > 1 else ""
    if resource is None or not _is_placed_right(resource, inside_namespace=inside_namespace, name=name):
        return None
    subresource = parts[2] if len(parts) > 2 else ""
    if subresource and not _has_subresource(resource, subresource):
        return None
    return Target(resource, namespace, name, subresource)


def _is_placed_right(resource: Resource, *, inside_namespace: bool, name: str) -> bool:
    if inside_namespace:
        return resource.kind.namespaced
    return not (name and resource.kind.namespaced)


def _has_subresource(resource: Resource, subresource: str) -> bool:
    if subresource == "status":
        return resource.kind.has_status
    return subresource == "finalize" and resource.kind == NAMESPACE
