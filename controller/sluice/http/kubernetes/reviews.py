"""Answers to "may I?" and "who am I?": ``kubectl auth can-i``, ``kubectl auth whoami``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog, Resource
from sluice.http.kubernetes.errors import bad_request
from sluice.ports.store import Actor, Obj

Review = Callable[[Mapping[str, Any], Actor, Access, Catalog], Obj]

AUTHENTICATION = "authentication.k8s.io/v1"
AUTHORIZATION = "authorization.k8s.io/v1"


def review_who(given: Mapping[str, Any], actor: Actor, access: Access, catalog: Catalog) -> Obj:  # noqa: ARG001
    """``SelfSubjectReview``: the actor that the server sees."""
    return {"userInfo": {"username": actor.user, "groups": list(actor.groups)}}


def review_access(given: Mapping[str, Any], actor: Actor, access: Access, catalog: Catalog) -> Obj:
    """``SelfSubjectAccessReview``: whether the actor may do one thing; ``*`` stands for all verbs or kinds."""
    spec = given.get("spec") or {}
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        if not spec.get("nonResourceAttributes"):
            raise bad_request("spec: give one of resourceAttributes and nonResourceAttributes")
        return {"allowed": True}
    resources = _meant(wanted, catalog)
    if not resources:
        return {"allowed": False, "reason": f'"{wanted.get("resource", "")}" is not served here'}
    namespace = wanted.get("namespace") or ""
    allowed = all(
        access.authorizer.allows(actor, verb, resource.kind, namespace if resource.kind.namespaced else "")
        for resource in resources
        for verb in (resource.verbs if wanted.get("verb") == "*" else (wanted.get("verb", ""),))
    )
    return {"allowed": allowed}


def review_rules(given: Mapping[str, Any], actor: Actor, access: Access, catalog: Catalog) -> Obj:
    """``SelfSubjectRulesReview``: everything the actor may do in one namespace."""
    namespace = (given.get("spec") or {}).get("namespace") or ""
    rules = []
    for resource in catalog.resources():
        where = namespace if resource.kind.namespaced else ""
        verbs = [verb for verb in resource.verbs if access.authorizer.allows(actor, verb, resource.kind, where)]
        if verbs:
            rules.append({"verbs": verbs, "apiGroups": [resource.kind.group], "resources": [resource.kind.plural]})
    paths = {"verbs": ["get"], "nonResourceURLs": ["/api", "/apis", "/healthz", "/livez", "/readyz", "/version"]}
    return {"resourceRules": rules, "nonResourceRules": [paths], "incomplete": False}


def _meant(wanted: Mapping[str, Any], catalog: Catalog) -> list[Resource]:
    """The resources that group, version and plural name; any of them may be ``*``."""

    def fits(asked: str | None, actual: str) -> bool:
        return asked == "*" or (asked or "") == actual

    return [
        resource
        for resource in catalog.resources()
        if fits(wanted.get("group"), resource.kind.group)
        and (not wanted.get("version") or fits(wanted["version"], resource.kind.version))
        and fits(wanted.get("resource"), resource.kind.plural)
    ]


REVIEWS: dict[tuple[str, str], tuple[str, Review]] = {
    (AUTHENTICATION, "selfsubjectreviews"): ("SelfSubjectReview", review_who),
    (AUTHORIZATION, "selfsubjectaccessreviews"): ("SelfSubjectAccessReview", review_access),
    (AUTHORIZATION, "selfsubjectrulesreviews"): ("SelfSubjectRulesReview", review_rules),
}
"""By API version and plural: the kind that is posted there, and what fills in its status."""
