"""The other two spellings, turned into steps: ``nodes`` and ``edges`` of node editors, ``tasks`` of deploy pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

NODE_ONLY = frozenset({"name", "type", "position", "pyCode"})
"""Fields of a node that no step has: what an editor shows, and the short form of code."""

DIRECT_ACTIONS = ("build", "promote", "run", "copy")
"""Actions that a task names without ``action`` around them."""

MAX_NAME = 40


def steps_of(definition: Mapping[str, Any]) -> list[Json]:
    """The steps of a definition in whichever spelling; every entry is a new map.

    Steps keep their order, nodes are ordered by id (an API server keeps no order of maps), and each task needs the one
    before it.
    """
    if definition.get("steps") is not None:
        return [dict(step) for step in definition["steps"]]
    if definition.get("nodes") is not None:
        return _from_nodes(definition["nodes"], definition.get("edges") or {})
    return _from_tasks(definition.get("tasks") or [])


def is_trigger(node: Mapping[str, Any]) -> bool:
    """Whether a node is the workflow's entry: it does nothing itself, ``definition.trigger`` says how runs start."""
    return node.get("type") == "trigger"


def _from_nodes(nodes: Mapping[str, Mapping[str, Any]], edges: Mapping[str, Mapping[str, Any]]) -> list[Json]:
    triggers = {name for name, node in nodes.items() if is_trigger(node)}
    needs: dict[str, set[str]] = {}
    for edge in edges.values():
        if edge["source"] not in triggers:
            needs.setdefault(edge["target"], set()).add(edge["source"])
    return [
        _from_node(name, nodes[name], sorted(needs.get(name, ()))) for name in sorted(nodes) if name not in triggers
    ]


def _from_node(name: str, node: Mapping[str, Any], needs: list[str]) -> Json:
    step = {key: value for key, value in node.items() if key not in NODE_ONLY and value is not None}
    shown = step.get("description") or node.get("name")
    if shown:
        step["description"] = shown
    if node.get("pyCode") is not None:
        step["action"] = {"python": {"code": node["pyCode"]}}
    return {"name": name, "needs": needs, **step}


def _from_tasks(tasks: list[Mapping[str, Any]]) -> list[Json]:
    """A chain. A promote, run or copy works on the nearest build or copy before it unless it says which."""
    steps: list[Json] = []
    built: str | None = None
    for task in tasks:
        step = _from_task(task, built)
        step["needs"] = [steps[-1]["name"]] if steps else []
        steps.append(step)
        action = step.get("action") or {}
        if action.get("build") or action.get("copy"):
            built = step["name"]
        if (action.get("build") or {}).get("promote"):
            steps.append(_promotion(step))
    return steps


def _from_task(task: Mapping[str, Any], built: str | None) -> Json:
    step = {key: value for key, value in task.items() if key not in DIRECT_ACTIONS and value is not None}
    direct = {key: dict(task[key]) for key in DIRECT_ACTIONS if task.get(key) is not None}
    for key, action in direct.items():
        named = action.get("buildFrom") is not None or action.get("release") is not None
        if key != "build" and built and not named:
            action["buildFrom"] = built
    return step | ({"action": direct} if direct else {})


def _promotion(build: Json) -> Json:
    """The step that follows a build with ``promote: true``. It shares the build's ``onError``: who lets the pipeline go
    on after a failed build does not want it to end at the promotion of nothing."""
    action = build["action"]["build"]
    build["action"] = {"build": {key: value for key, value in action.items() if key != "promote"}}
    shared = {"onError": build["onError"]} if build.get("onError") is not None else {}
    return {
        "name": promotion_name(build["name"]),
        "needs": [build["name"]],
        "action": {"promote": {"app": action["app"], "buildFrom": build["name"]}},
        **shared,
    }


def promotion_name(build: str) -> str:
    """How the step is called that promotes what the task ``build`` built."""
    return f"{build[: MAX_NAME - len('_promote')]}_promote"
