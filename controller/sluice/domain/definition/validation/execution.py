"""What this release accepts in manifests and doesn't execute yet. A definition that has any of it is valid, and is not
published: the findings say by name what is in the way. Each release makes these tables smaller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sluice.domain.definition.validation.findings import Code, Finding, join
from sluice.domain.definition.validation.outline import Outline, StepAt

EXECUTED_KINDS = frozenset({("action", "python"), ("action", "http"), ("action", "container"), ("logic", "switch")})
"""The kinds of steps that run."""

CLUSTER_KINDS = frozenset({("action", "container")})
"""Of these, the ones that need a pod of their own, and so a cluster."""

EXECUTED_TRIGGERS = frozenset({"manual", "api"})
"""The triggers that start runs."""

UNUSED_FIELDS: Mapping[tuple[str, ...], tuple[str, ...]] = MappingProxyType(
    {
        (): ("resources", "artifacts"),
        ("action", "python"): ("requirements", "lock", "connections"),
        ("action", "http"): ("connection", "saveAs"),
        ("action", "container"): ("connections",),
    }
)
"""Fields that have no effect yet: of every step, and of each kind."""

UNUSED_POLICIES = frozenset({"Replace"})
"""What is not yet done with runs for which there is no room."""


def not_executable(
    definition: Mapping[str, Any], field: str = "spec.definition", *, embedded: bool = False
) -> list[Finding]:
    """Everything in a valid definition, in any spelling, that keeps this release from publishing it.

    ``embedded``: where there is no cluster, and runs are processes.
    """
    return list(_find(Outline(field, definition), embedded=embedded))


UNUSED_SETTINGS = (("webhook",), ("notifications",), ("publish", "approval", "sla"))
"""Fields of a Workflow's spec beside its definition that have no effect yet."""


def settings_without_effect(spec: Mapping[str, Any], field: str = "spec") -> list[Finding]:
    """Everything beside the definition that somebody would rely on in vain, and that keeps it from being published."""
    found = []
    for path in UNUSED_SETTINGS:
        value: Any = spec
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value:
            plural = path[-1].endswith("s")
            found.append(_finding(join(field, *path), f"{path[-1]} {'are' if plural else 'is'}", "leave it out"))
    return found


def _find(outline: Outline, *, embedded: bool) -> Iterator[Finding]:
    for kind, body in (outline.definition.get("trigger") or {}).items():
        if body is not None and kind not in EXECUTED_TRIGGERS:
            yield _finding(join(outline.field, "trigger", kind), f"{kind} triggers are", "use manual or api")
    policy = (outline.definition.get("concurrency") or {}).get("policy")
    if policy in UNUSED_POLICIES:
        yield _finding(join(outline.field, "concurrency", "policy"), f"{policy} is", "use Queue, Forbid or Allow")
    for graph in outline.graphs():
        for step in graph.steps:
            yield from _find_in_step(step, embedded=embedded)


def _find_in_step(step: StepAt, *, embedded: bool) -> Iterator[Finding]:
    for name in UNUSED_FIELDS[()]:
        if step.body.get(name):
            yield _finding(step.at(name), f"{name} are", "remove them")
    if step.kind not in EXECUTED_KINDS:
        executed = ", ".join(sorted(".".join(kind) for kind in EXECUTED_KINDS))
        yield _finding(step.at(*step.kind), f"steps of kind {'.'.join(step.kind)} are", f"executed are {executed}")
        return
    if embedded and step.kind in CLUSTER_KINDS:
        message = (
            f"steps of kind {'.'.join(step.kind)} have a pod of their own, and here runs are local processes; "
            "publish it where Sluice runs on a cluster"
        )
        yield Finding(step.at(*step.kind), message, code=Code.NOT_EXECUTABLE)
        return
    for name in UNUSED_FIELDS.get(step.kind, ()):
        if step.spec.get(name):
            yield _finding(step.at(*step.kind, name), f"{name} of {'.'.join(step.kind)} is", "leave it out")


def _finding(field: str, what: str, instead: str) -> Finding:
    return Finding(field, f"{what} not executed by this release; {instead}", code=Code.NOT_EXECUTABLE)
