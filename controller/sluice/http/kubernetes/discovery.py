"""What is served, told to clients: ``/version``, ``/api``, ``/apis`` and below, aggregated or in the older form."""

from __future__ import annotations

import platform
from itertools import groupby
from typing import Any

import sluice
from sluice.http.kubernetes.catalog import Catalog, Resource
from sluice.http.kubernetes.negotiation import Form
from sluice.http.kubernetes.reviews import REVIEWS
from sluice.ports.store import Obj

KUBERNETES_MINOR = "32"
"""The Kubernetes 1.x whose protocol is spoken; kubectl warns when its own is far from it."""

AGGREGATED_GROUP = "apidiscovery.k8s.io"
_AGGREGATED_VERSIONS = {"v2", "v2beta1"}


def wants_aggregated(form: Form) -> bool:
    """Whether the client asks for everything in one answer."""
    return (
        form.kind == "APIGroupDiscoveryList" and form.group == AGGREGATED_GROUP and form.version in _AGGREGATED_VERSIONS
    )


def version() -> Obj:
    """``/version``: the protocol's version, marked as Sluice's."""
    return {
        "major": "1",
        "minor": KUBERNETES_MINOR,
        "gitVersion": f"v1.{KUBERNETES_MINOR}.0+sluice-{sluice.__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }


def core_versions() -> Obj:
    """``/api`` in the older form."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(catalog: Catalog) -> Obj:
    """``/apis`` in the older form."""
    names = dict.fromkeys(api_version.partition("/")[0] for api_version in _group_versions(catalog))
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, catalog) for name in names]}


def group(name: str, catalog: Catalog) -> Obj | None:
    """``/apis/<group>``, or None when it is not served."""
    if not any(api_version.startswith(f"{name}/") for api_version in _group_versions(catalog)):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, catalog)}


def resource_list(api_version: str, catalog: Catalog) -> Obj | None:
    """``/api/v1`` or ``/apis/<group>/<version>``, or None when it is not served."""
    entries: list[Obj] = []
    for resource in _of(api_version, catalog):
        entries.append(_entry(resource))
        if resource.kind.has_status:
            entries.append(_status_entry(resource))
    entries.extend(_review_entry(plural, kind) for plural, kind in _reviews_of(api_version))
    if not entries:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": entries}


def aggregated(catalog: Catalog, *, core: bool, form: Form) -> Obj:
    """``/api`` (``core``) or ``/apis`` with all resources at once."""
    served = ["v1"] if core else [*_group_versions(catalog)]
    items = []
    for name, versions in groupby(served, key=lambda api_version: api_version.rpartition("/")[0]):
        told = [_aggregated_version(api_version, catalog) for api_version in versions]
        items.append({"metadata": {"name": name} if name else {}, "versions": told})
    return {"kind": form.kind, "apiVersion": form.api_version, "metadata": {}, "items": items}


def _group_versions(catalog: Catalog) -> list[str]:
    """Group and version of everything but the core group, each group's versions beside each other."""
    all_versions = dict.fromkeys((*catalog.api_versions(), *(api_version for api_version, _ in REVIEWS)))
    return [api_version for api_version in all_versions if "/" in api_version]


def _of(api_version: str, catalog: Catalog) -> list[Resource]:
    return [resource for resource in catalog.resources() if resource.kind.api_version == api_version]


def _reviews_of(api_version: str) -> list[tuple[str, str]]:
    return [(plural, kind) for (at, plural), (kind, _) in REVIEWS.items() if at == api_version]


def _group(name: str, catalog: Catalog) -> Obj:
    versions = [
        {"groupVersion": api_version, "version": api_version.partition("/")[2]}
        for api_version in _group_versions(catalog)
        if api_version.startswith(f"{name}/")
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _entry(resource: Resource) -> Obj:
    kind = resource.kind
    entry: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(resource.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return entry


def _status_entry(resource: Resource) -> Obj:
    kind = resource.kind
    return {
        "name": f"{kind.plural}/status",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": ["get", "patch", "update"],
    }


def _review_entry(plural: str, kind: str) -> Obj:
    return {"name": plural, "singularName": kind.lower(), "namespaced": False, "kind": kind, "verbs": ["create"]}


def _aggregated_version(api_version: str, catalog: Catalog) -> Obj:
    resources: list[Obj] = []
    for resource in _of(api_version, catalog):
        kind = resource.kind
        told = _aggregated_resource(_entry(resource), api_version)
        if kind.has_status:
            verbs = ["get", "patch", "update"]
            told["subresources"] = [
                {"subresource": "status", "responseKind": _response_kind(api_version, kind.kind), "verbs": verbs}
            ]
        resources.append(told)
    for plural, kind_name in _reviews_of(api_version):
        resources.append(_aggregated_resource(_review_entry(plural, kind_name), api_version))
    return {"version": api_version.rpartition("/")[2], "freshness": "Current", "resources": resources}


def _aggregated_resource(entry: Obj, api_version: str) -> Obj:
    told = {
        "resource": entry["name"],
        "responseKind": _response_kind(api_version, entry["kind"]),
        "scope": "Namespaced" if entry["namespaced"] else "Cluster",
        "singularResource": entry["singularName"],
        "verbs": entry["verbs"],
    }
    for word in ("shortNames", "categories"):
        if word in entry:
            told[word] = entry[word]
    return told


def _response_kind(api_version: str, kind: str) -> Obj:
    group_name, _, version_name = api_version.rpartition("/")
    return {"group": group_name, "version": version_name, "kind": kind}
