"""Labels, node selectors and tolerations of an environment's pods, as an API server holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, join
from sluice.domain.launching.names import MANAGED_BY_LABEL, NAME_LABEL
from sluice.domain.launching.placement import Runner, Template

_KEY = re.compile(
    r"(?:(?P<domain>[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_RESERVED: Final = ("sluice.dev", "kubernetes.io", "k8s.io")
_UNRESERVED: Final = ("app.kubernetes.io", "cluster-autoscaler.kubernetes.io")
"""What describes an application, and what an autoscaler is told by pods, is theirs to say."""
_TOLERATION_KEYS: Final = ("key", "operator", "value", "effect", "tolerationSeconds")
_OPERATORS: Final = ("Equal", "Exists")
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def check_scheduling(runner: Runner) -> Iterator[Finding]:
    """Every finding about where pods may be scheduled."""
    yield from _check_labels(runner.node_selector, "spec.runner.nodeSelector")
    for index, toleration in enumerate(runner.tolerations):
        yield from _check_toleration(toleration, join("spec.runner.tolerations", index))


def check_metadata(runner: Runner) -> Iterator[Finding]:
    """Every finding about the labels and annotations that a template adds."""
    yield from _check_labels(runner.labels, "spec.runner.labels")
    yield from _check_keys(runner.annotations, "spec.runner.annotations")
    for where, keys in (("spec.runner.labels", runner.labels), ("spec.runner.annotations", runner.annotations)):
        for key in keys:
            if _is_reserved(key):
                message = "is set by Sluice or Kubernetes alone; use a domain of your own"
                yield Finding(join(where, key), message, code=Code.REFUSED)


def _is_reserved(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    if key in (MANAGED_BY_LABEL, NAME_LABEL):
        return True
    return domain not in _UNRESERVED and any(f".{domain}".endswith(f".{reserved}") for reserved in _RESERVED)


def _check_labels(labels: Mapping[str, str], where: str) -> Iterator[Finding]:
    yield from _check_keys(labels, where)
    for key, value in labels.items():
        if not _VALUE.fullmatch(value):
            message = f"{value} is no label's value; use at most 63 letters, digits, -, _ or ."
            yield Finding(join(where, key), message)


def _check_keys(keys: Mapping[str, str], where: str) -> Iterator[Finding]:
    for key in keys:
        found = _KEY.fullmatch(key)
        if found is None or ".." in (found["domain"] or ""):
            message = "this is no name of a label; write letters, digits, -, _ or ., with a domain and / before"
            yield Finding(join(where, key), message)


def _check_toleration(toleration: Template, where: str) -> Iterator[Finding]:
    for name in toleration:
        if name not in _TOLERATION_KEYS:
            known = did_you_mean(name, _TOLERATION_KEYS, what="a toleration has")
            yield Finding(join(where, name), f"is not known here; {known}", code=Code.UNKNOWN_FIELD)
    key, operator, value = (toleration.get(name) for name in ("key", "operator", "value"))
    yield from _check_word(operator, _OPERATORS, join(where, "operator"))
    yield from _check_word(toleration.get("effect"), _EFFECTS, join(where, "effect"))
    if not key and operator != "Exists":
        yield Finding(
            join(where, "key"), "is required; without it only operator Exists has a meaning", code=Code.MISSING
        )
    elif key and (not isinstance(key, str) or not _KEY.fullmatch(key)):
        yield Finding(join(where, "key"), f"{key} is no name of a taint; write it as the node has it")
    if value and operator == "Exists":
        yield Finding(join(where, "value"), "has no meaning with operator Exists; leave it out", code=Code.CONFLICT)
    elif value is not None and (not isinstance(value, str) or not _VALUE.fullmatch(value)):
        yield Finding(join(where, "value"), f"{value} is no taint's value; put numbers in quotes")
    yield from _check_seconds(toleration, join(where, "tolerationSeconds"))


def _check_word(word: Any, known: tuple[str, ...], where: str) -> Iterator[Finding]:
    if word and word not in known:
        yield Finding(where, f"{word} is not known; write one of {', '.join(known)}")


def _check_seconds(toleration: Template, where: str) -> Iterator[Finding]:
    seconds = toleration.get("tolerationSeconds")
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        yield Finding(where, f"{seconds} is no whole number of seconds", code=Code.WRONG_TYPE)
    elif toleration.get("effect") != "NoExecute":
        yield Finding(where, "has a meaning with effect NoExecute only; leave it out", code=Code.CONFLICT)
