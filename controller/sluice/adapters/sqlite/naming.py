"""Which object a manifest names, and names that the store makes up."""

from __future__ import annotations

import secrets
from typing import Any

from sluice.adapters.sqlite.refusals import invalid
from sluice.adapters.sqlite.transitions import metadata_of
from sluice.api.kinds import KindInfo, kind_of
from sluice.domain.objects.metadata import GENERATED_ALPHABET, GENERATED_SUFFIX_LENGTH, MAX_GENERATED_PREFIX, Problem
from sluice.ports.errors import BadRequest
from sluice.ports.store import Obj, Ref


def kind_in(obj: Obj) -> KindInfo:
    """The kind that ``apiVersion`` and ``kind`` say. BadRequest when it is none that is served."""
    api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    known = kind_of(api_version, kind)
    if known is None:
        raise BadRequest(f'no matches for kind "{kind}" in version "{api_version}"')
    return known


def namespace_in(kind: KindInfo, metadata: dict[str, Any]) -> str:
    """The namespace of an object; empty for kinds without one. BadRequest when one is missing."""
    namespace = metadata.get("namespace") or ""
    if not kind.namespaced:
        return ""
    if not namespace:
        raise BadRequest(f"metadata.namespace is empty; say in which namespace this {kind.kind} lives")
    return str(namespace)


def ref_of(obj: Obj) -> Ref:
    """The object that a manifest names in full."""
    kind = kind_in(obj)
    metadata = metadata_of(obj)
    name = metadata.get("name") or ""
    if not name:
        raise invalid(kind, "", [Problem("metadata.name", "Required value: name is required", "FieldValueRequired")])
    return Ref(kind, namespace_in(kind, metadata), name)


def generated_name(kind: KindInfo, prefix: str) -> str:
    """``prefix`` with a random suffix. Invalid when there is no prefix either."""
    if not prefix:
        problem = Problem("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")
        raise invalid(kind, "", [problem])
    suffix = "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(GENERATED_SUFFIX_LENGTH))
    return prefix[:MAX_GENERATED_PREFIX] + suffix
