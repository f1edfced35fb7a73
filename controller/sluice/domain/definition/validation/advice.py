"""Warnings: nothing is wrong, and yet it is hardly what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from sluice.domain.definition.validation.findings import Code, Finding, warning
from sluice.domain.definition.validation.outline import GraphAt, Outline, StepAt
from sluice.domain.expressions.scope import names_in

INDEPENDENT = frozenset({("skill",), ("agent",), ("mcp",), ("data",), ("action", "http"), ("action", "container")})
"""Kinds whose order matters only through the data they pass on."""


def advise(outline: Outline) -> list[Finding]:
    """The warnings about a definition that has no errors."""
    return [*_could_run_in_parallel(outline), *_missing_approval(outline)]


def _could_run_in_parallel(outline: Outline) -> Iterator[Finding]:
    """A step that waits for one whose data it doesn't use (R236). Tasks are a chain because they say so."""
    if outline.main.sequential or outline.definition.get("tasks") is not None:
        return
    steps = {step.name: step for step in outline.main.steps}
    for step in outline.main.steps:
        sources = outline.main.before[step.name]
        if len(sources) != 1 or step.kind not in INDEPENDENT or step.body.get("when") is not None:
            continue
        source = steps[sources[0]]
        if source.kind in INDEPENDENT and not _changes_something(step) and source.name not in _words_of(step):
            message = f"it waits for {source.name} and uses nothing of it; without that need both run at the same time"
            yield warning(next(iter(step.needs.values()), step.field), message, Code.COULD_RUN_IN_PARALLEL)


def _words_of(step: StepAt) -> frozenset[str]:
    return names_in(orjson.dumps(step.spec).decode())


def _missing_approval(outline: Outline) -> Iterator[Finding]:
    """An agent's answer that leads to something irreversible without anybody looking at it (R237)."""
    for graph in outline.graphs():
        for step in graph.steps:
            if _changes_something(step):
                agent = _agent_before(step.name, graph)
                if agent:
                    message = f"it can't be undone and follows agent {agent} without an approval; put an approval step between"
                    yield warning(step.field, message, Code.MISSING_APPROVAL)


def _agent_before(name: str, graph: GraphAt) -> str:
    """The nearest agent from which a way without an approval leads to the step; empty if there is none."""
    steps = {step.name: step for step in graph.steps}
    seen: set[str] = set()
    waiting = list(graph.before[name])
    while waiting:
        source = waiting.pop(0)
        if source in seen or "approval" in steps[source].kind:
            continue
        seen.add(source)
        if "agent" in steps[source].kind:
            return source
        waiting += graph.before[source]
    return ""


def _changes_something(step: StepAt) -> bool:
    spec: Mapping[str, Any] = step.spec
    match step.kind:
        case ("action", "http"):
            return (spec.get("method") or "GET") not in ("GET", "HEAD", "OPTIONS")
        case ("data",):
            return spec["operation"] not in ("Query", "Read")
        case ("storage",):
            return spec["operation"] in ("Put", "Delete")
        case ("action", "container" | "promote" | "run" | "copy"):
            return True
    return False
