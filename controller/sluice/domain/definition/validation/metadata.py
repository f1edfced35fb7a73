"""Names and labels, as an API server holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sluice.api.fields import LABEL_PATTERN
from sluice.domain.definition.validation.findings import Code, Finding, join
from sluice.domain.definition.validation.sentences import shown, words_of

_LABEL = re.compile(LABEL_PATTERN)
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_KEY = re.compile(r"([a-z0-9][-a-z0-9.]{0,251}[a-z0-9]?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_VERSION = re.compile(r"(.+)-v([1-9][0-9]{0,8})")

LONGEST: Mapping[str, int] = MappingProxyType({"Workflow": 40, "Rollout": 40, "Environment": 63, "GitSource": 63})
"""Kinds whose names are labels, and how long these may be; other names may have dots and 253 characters."""


def check_metadata(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """Every finding about ``metadata``."""
    metadata = obj.get("metadata") or {}
    yield from _check_name(obj["kind"], metadata)
    namespace = metadata.get("namespace")
    if namespace and (len(namespace) > 63 or not _LABEL.match(namespace)):
        message = f"{shown(namespace)} is not allowed: {words_of(LABEL_PATTERN)}, at most 63 characters"
        yield Finding("metadata.namespace", message, code=Code.NAME)
    for key, value in (metadata.get("labels") or {}).items():
        where = join("metadata.labels", key)
        if not _LABEL_KEY.fullmatch(key):
            yield Finding(
                where, "this is no label's name; write letters, digits, -, _ or ., with a domain and / before"
            )
        if not isinstance(value, str) or not _LABEL_VALUE.fullmatch(value):
            advice = "use at most 63 letters, digits, -, _ or ., and put numbers in quotes"
            yield Finding(where, f"{shown(value)} is no label's value: {advice}")


def _check_name(kind: str, metadata: Mapping[str, Any]) -> Iterator[Finding]:
    name = metadata.get("name")
    if not name:
        if metadata.get("generateName") and kind == "WorkflowRun":
            return
        also = ", or generateName" if kind == "WorkflowRun" else ""
        yield Finding("metadata.name", f"is required; add a name{also}", code=Code.MISSING)
        return
    longest = LONGEST.get(kind)
    if longest and (len(name) > longest or not _LABEL.match(name)):
        message = f"{shown(name)} is not allowed: {words_of(LABEL_PATTERN)}, at most {longest} characters"
        yield Finding("metadata.name", message, code=Code.NAME)
    elif len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        message = f"{shown(name)} is not allowed: use lower-case letters, digits, - and ., at most 253 characters"
        yield Finding("metadata.name", message, code=Code.NAME)
    elif kind == "EnvironmentState" and not is_state_name(name):
        message = f"{shown(name)} does not say of what; name it <workflow>.<environment>"
        yield Finding("metadata.name", message, code=Code.NAME)
    elif kind == "WorkflowVersion" and not _VERSION.fullmatch(name):
        yield Finding("metadata.name", f"{shown(name)} is no version; name it <workflow>-v<number>", code=Code.NAME)


def is_state_name(name: str) -> bool:
    """Whether an EnvironmentState's name tells its workflow and its environment."""
    workflow, _, environment = name.partition(".")
    fits = len(workflow) <= LONGEST["Workflow"] and len(environment) <= LONGEST["Environment"]
    return fits and bool(_LABEL.match(workflow)) and bool(_LABEL.match(environment))
