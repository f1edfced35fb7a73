"""What steps say about each other: names, needs, ways out of switches, error handlers, graphs, builds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.definition.digest import graphs_named
from sluice.domain.definition.graph import find_cycle
from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, join
from sluice.domain.definition.validation.outline import GraphAt, Outline, StepAt, trigger_nodes
from sluice.domain.expressions import is_identifier

TAKEN_NAMES = frozenset({"trigger"})
"""The trigger's own place in a run's record."""


def check_references(outline: Outline) -> Iterator[Finding]:
    """Every finding about names and what they lead to; cycles last."""
    yield from _check_names(outline)
    yield from _check_edges(outline)
    for graph in outline.graphs():
        for step in graph.steps:
            yield from _check_needs(step, graph, outline)
            yield from _check_targets(step, graph, outline)
            yield from _check_graphs(step, outline)
            yield from _check_build(step, graph)
    yield from _check_cycles(outline)


def _check_names(outline: Outline) -> Iterator[Finding]:
    for graph in outline.graphs():
        first: dict[str, StepAt] = {step.name: step for step in outline.main.steps} if graph.final else {}
        for step in graph.steps:
            where = step.at("name") if "name" in step.body and ".nodes." not in step.field else step.field
            if step.name in first:
                message = f"the name {step.name} is taken by {first[step.name].field}; give each step its own"
                yield Finding(where, message, code=Code.DUPLICATE)
            first.setdefault(step.name, step)
            if not is_identifier(step.name):
                message = f"{step.name} is a word of the expression language; choose another name"
                yield Finding(where, message, code=Code.NAME)
            if step.name in TAKEN_NAMES:
                yield Finding(where, f"{step.name} is the trigger's own name; choose another", code=Code.NAME)


def _check_edges(outline: Outline) -> Iterator[Finding]:
    nodes: Mapping[str, Any] = outline.definition.get("nodes") or {}
    triggers = trigger_nodes(outline.definition)
    for key, edge in (outline.definition.get("edges") or {}).items() if nodes else ():
        where = join(outline.field, "edges", key)
        for end in ("source", "target"):
            if edge[end] not in nodes:
                message = f"there is no node {edge[end]}; {did_you_mean(edge[end], nodes)}"
                yield Finding(join(where, end), message, code=Code.UNKNOWN_REFERENCE)
        if edge["target"] in triggers:
            message = f"{edge['target']} is the entry; no edge leads to it"
            yield Finding(join(where, "target"), message, code=Code.CONFLICT)
        if edge["source"] == edge["target"]:
            yield Finding(where, f"{edge['source']} can't come before itself; remove the edge", code=Code.CYCLE)


def _check_needs(step: StepAt, graph: GraphAt, outline: Outline) -> Iterator[Finding]:
    if ".nodes." in step.field:
        return
    seen: set[str] = set()
    for need, where in step.needs.items():
        name = need.rstrip("?")
        if name == step.name:
            yield Finding(where, f"{name} can't need itself; remove it", code=Code.CYCLE)
        elif name not in graph.names:
            yield Finding(where, _no_step(name, graph, outline), code=Code.UNKNOWN_REFERENCE)
        elif name in seen:
            yield Finding(where, f"{name} is needed twice, with and without ?; keep one", code=Code.DUPLICATE)
        seen.add(name)


def _no_step(name: str, graph: GraphAt, outline: Outline) -> str:
    if name in outline.final.names and not graph.final:
        return f"{name} is a step of finally, which runs after all others; nothing can wait for it"
    if graph.final and name in outline.main.names:
        return f"{name} has always ended when finally begins; leave it out"
    return f"there is no step {name}; {did_you_mean(name, graph.names)}"


def _check_targets(step: StepAt, graph: GraphAt, outline: Outline) -> Iterator[Finding]:
    switch = (step.body.get("logic") or {}).get("switch")
    places: list[tuple[str, str]] = []
    if switch:
        for index, case in enumerate(switch["cases"]):
            places += [
                (name, step.at("logic", "switch", "cases", index, "next", place))
                for place, name in enumerate(case["next"])
            ]
        places += [
            (name, step.at("logic", "switch", "default", place))
            for place, name in enumerate(switch.get("default") or ())
        ]
    goto = (step.body.get("onError") or {}).get("goto")
    if goto is not None:
        places.append((goto, step.at("onError", "goto")))
    for name, where in places:
        if name == step.name:
            yield Finding(where, f"{name} can't lead to itself; use retry to try again", code=Code.CYCLE)
        elif name not in graph.names:
            yield Finding(where, _no_step(name, graph, outline), code=Code.UNKNOWN_REFERENCE)


def _check_graphs(step: StepAt, outline: Outline) -> Iterator[Finding]:
    for kind in ("forEach", "while", "call"):
        named = ((step.body.get("logic") or {}).get(kind) or {}).get("graph")
        if named is not None and named not in outline.named:
            message = f"there is no graph {named} under definition.graphs; {did_you_mean(named, outline.named)}"
            yield Finding(step.at("logic", kind, "graph"), message, code=Code.UNKNOWN_REFERENCE)


def _check_build(step: StepAt, graph: GraphAt) -> Iterator[Finding]:
    for kind, action in (step.body.get("action") or {}).items():
        source = action.get("buildFrom") if isinstance(action, Mapping) else None
        if source is None:
            continue
        where = step.at("action", kind, "buildFrom")
        builder = graph.by_name.get(source)
        if builder is None:
            message = f"there is no step {source}; {did_you_mean(source, graph.names)}"
            yield Finding(where, message, code=Code.UNKNOWN_REFERENCE)
        elif builder.kind not in (("action", "build"), ("action", "copy")):
            yield Finding(where, f"{source} makes no build; name a build or a copy", code=Code.UNKNOWN_REFERENCE)
        elif graph.is_ordered(step.name) and not graph.sees(step.name, source):
            yield Finding(
                where, f"{source} does not come before this step; add it to needs", code=Code.UNKNOWN_REFERENCE
            )


def _check_cycles(outline: Outline) -> Iterator[Finding]:
    for graph in outline.graphs():
        cycle = find_cycle(graph.before)
        if len(cycle) > 2:
            field = graph.by_name[cycle[0]].field
            message = f"the steps go round in a circle: {' -> '.join(cycle)}; remove one of these needs, next or goto"
            yield Finding(field, message, code=Code.CYCLE)
    calls = {
        name: [other for step in graph.steps for other in graphs_named(step.body) if other in outline.named]
        for name, graph in outline.named.items()
    }
    circle = find_cycle(calls)
    if circle:
        message = f"graphs can't run themselves: {' -> '.join(circle[::-1])}; use a while with maxIterations"
        yield Finding(outline.named[circle[-1]].field, message, code=Code.CYCLE)
