"""The digest of a definition, which is what a version is, and of single steps, which is what a replay may reuse.

A digest is taken over the canonical form at a level, without descriptions, in canonical JSON. What a level digests to
never changes; ``tests/domain/definition/vectors`` holds it to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.definition.canonical_json import canonical_json
from sluice.domain.definition.graph import predecessors, topological_order
from sluice.domain.definition.shapes import LATEST


def digest(canonical: Mapping[str, Any], level: int = LATEST, resolved: Mapping[str, Any] | None = None) -> str:
    """``sha256:`` and 64 hex digits. ``resolved`` is what publishing froze beside the definition: specs and digests of
    the skills it names, digests of images."""
    content: dict[str, Any] = {"definition": _without_descriptions(canonical)}
    if resolved:
        content["resolved"] = resolved
    return _hash("definition", level, content)


def step_digest(canonical: Mapping[str, Any], step: str, level: int = LATEST) -> str:
    """The digest of a step, all its ancestors and the graphs it runs. Equal digests: the same input leads to the same
    output, so a replay may reuse it. Raises KeyError for a step that isn't there."""
    return step_digests(canonical, level)[step]


def step_digests(canonical: Mapping[str, Any], level: int = LATEST) -> dict[str, str]:
    """The digest of each step of an acyclic definition, as `step_digest` has it."""
    steps = {step["name"]: _without_description(step) for step in canonical["steps"]}
    before = predecessors(canonical["steps"])
    surroundings = {
        "context": canonical.get("context"),
        "params": _described(canonical.get("params") or {}),
        "execution": canonical.get("execution"),
    }
    digests: dict[str, str] = {}
    sequential = canonical.get("execution") == "Sequential"
    for name in topological_order(before):
        # In Sequential a step sees all earlier ones, so each of them has a say in its output.
        parents = sorted(digests.values()) if sequential else sorted(digests[source] for source in before[name])
        content = {
            **surroundings,
            "step": steps[name],
            "parents": parents,
            "graphs": dict(_graphs_of(canonical, [steps[name]], set())),
        }
        digests[name] = _hash("step", level, content)
    return digests


def graphs_named(step: Mapping[str, Any]) -> Iterator[str]:
    """The graph that a step runs, if it is a loop or a call."""
    for kind in ("forEach", "while", "call"):
        named = ((step.get("logic") or {}).get(kind) or {}).get("graph")
        if named:
            yield named


def _graphs_of(
    canonical: Mapping[str, Any], steps: list[dict[str, Any]], seen: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for step in steps:
        for name in graphs_named(step):
            graph = (canonical.get("graphs") or {}).get(name)
            if graph is None or name in seen:
                continue
            seen.add(name)
            body = _graph(graph)
            yield name, body
            yield from _graphs_of(canonical, body["steps"], seen)


def _hash(what: str, level: int, content: Mapping[str, Any]) -> str:
    head = f"sluice.dev {what} level {level}\n".encode()
    return f"sha256:{hashlib.sha256(head + canonical_json(content)).hexdigest()}"


def _without_descriptions(canonical: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **canonical,
        "params": _described(canonical.get("params") or {}),
        "graphs": {name: _graph(graph) for name, graph in (canonical.get("graphs") or {}).items()},
        "steps": [_without_description(step) for step in canonical["steps"]],
        "finally": [_without_description(step) for step in canonical.get("finally") or ()],
    }


def _graph(graph: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **graph,
        "params": _described(graph.get("params") or {}),
        "steps": [_without_description(step) for step in graph["steps"]],
    }


def _described(params: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: _without_description(parameter) for name, parameter in params.items()}


def _without_description(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "description"}
