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
    steps = outline.main.by_name
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
        agents = nearest_agents(graph)
        for step in graph.steps:
            if step.name in agents and _changes_something(step):
                agent, _ = agents[step.name]
                message = (
                    f"it can't be undone and follows agent {agent} without an approval; put an approval step between"
                )
                yield warning(step.field, message, Code.MISSING_APPROVAL)


def nearest_agents(graph: GraphAt) -> dict[str, tuple[str, int]]:
    """For each step that a way without an approval leads to from an agent: the nearest one, and how many steps away; of
    several, that of the source named first. Each step is looked at once, after those before it."""
    found: dict[str, tuple[str, int]] = {}
    for name in graph.order:
        for source in graph.before[name]:
            kind = graph.by_name[source].kind
            if "approval" in kind:
                continue
            agent, distance = (source, 0) if "agent" in kind else found.get(source, ("", 0))
            if agent and (name not in found or distance + 1 < found[name][1]):
                found[name] = (agent, distance + 1)
    return found


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
