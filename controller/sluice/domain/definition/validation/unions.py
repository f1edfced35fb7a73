"""Exactly one key tells what something is: the kind of a step, of an action, of a trigger; the spelling of a definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sluice.api.triggers import TRIGGER_KINDS
from sluice.api.unions import STEP_KINDS
from sluice.domain.definition.spellings import DIRECT_ACTIONS, is_trigger
from sluice.domain.definition.validation.findings import Code, Finding, join
from sluice.domain.definition.validation.outline import KINDS_WITHIN, trigger_nodes


def check_spelling(definition: Mapping[str, Any], field: str) -> Iterator[Finding]:
    """``steps``, or ``nodes`` with ``edges``, or ``tasks``; and at least one of them has an entry (R109, R181)."""
    used = [key for key in ("steps", "nodes", "tasks") if definition.get(key) is not None]
    if not used:
        yield Finding(field, "it has no steps; write steps, or nodes and edges, or tasks", code=Code.MISSING)
    elif len(used) > 1:
        yield Finding(field, f"{' and '.join(used)} are two spellings of one thing; keep one of them", code=Code.ONE_OF)
    elif not definition[used[0]]:
        yield Finding(join(field, used[0]), "it is empty; write at least one step", code=Code.MISSING)
    if definition.get("edges") and "nodes" not in used:
        yield Finding(
            join(field, "edges"), "edges join nodes, and there are none; write needs instead", code=Code.ONE_OF
        )
    yield from _check_trigger_nodes(definition, field)


def _check_trigger_nodes(definition: Mapping[str, Any], field: str) -> Iterator[Finding]:
    triggers = trigger_nodes(definition)
    nodes = definition.get("nodes") or {}
    if len(triggers) > 1:
        message = f"{' and '.join(triggers)} are both of type trigger; a workflow has one entry"
        yield Finding(join(field, "nodes", triggers[1], "type"), message, code=Code.ONE_OF)
    if nodes and len(triggers) == len(nodes):
        yield Finding(join(field, "nodes"), "there are only triggers; write at least one action", code=Code.MISSING)


def check_trigger(definition: Mapping[str, Any], field: str) -> Iterator[Finding]:
    """A trigger is exactly one of six (R181)."""
    trigger = definition.get("trigger")
    if trigger:
        yield from one_of(trigger, TRIGGER_KINDS, "a trigger", join(field, "trigger"))


def check_kinds(definition: Mapping[str, Any], field: str) -> Iterator[Finding]:
    """Every step, node and task is exactly one kind of thing (R194)."""
    lists = [("steps", definition.get("steps")), ("finally", definition.get("finally"))]
    for key, steps in lists:
        for index, step in enumerate(steps or ()):
            yield from _check_step(step, STEP_KINDS, join(field, key, index))
    for name, graph in (definition.get("graphs") or {}).items():
        for index, step in enumerate(graph["steps"]):
            yield from _check_step(step, STEP_KINDS, join(field, "graphs", name, "steps", index))
    for index, task in enumerate(definition.get("tasks") or ()):
        yield from _check_step(task, (*STEP_KINDS, *DIRECT_ACTIONS), join(field, "tasks", index))
    for name, node in (definition.get("nodes") or {}).items():
        if not is_trigger(node):
            yield from _check_step(node, (*STEP_KINDS, "pyCode"), join(field, "nodes", name))
        elif extra := [kind for kind in (*STEP_KINDS, "pyCode") if node.get(kind) is not None]:
            message = "a trigger node does nothing itself; say under definition.trigger how runs start"
            yield Finding(join(field, "nodes", name, extra[0]), message, code=Code.ONE_OF)


def _check_step(step: Mapping[str, Any], kinds: Sequence[str], field: str) -> Iterator[Finding]:
    yield from one_of(step, kinds, f"step {step['name']}" if "name" in step else "a step", field)
    for kind, inner in KINDS_WITHIN.items():
        if step.get(kind) is not None:
            yield from one_of(step[kind], inner, f"the {kind}", join(field, kind))
    wait = (step.get("logic") or {}).get("wait")
    if wait is not None:
        yield from one_of(wait, ("for", "until", "signal"), "a wait", join(field, "logic", "wait"))
    for index, tool in enumerate((step.get("agent") or {}).get("tools") or ()):
        yield from one_of(tool, ("skill", "mcp"), "a tool", join(field, "agent", "tools", index))


def one_of(value: Mapping[str, Any], keys: Sequence[str], what: str, field: str) -> Iterator[Finding]:
    """The finding if ``value`` has none or several of ``keys``; null is none."""
    used = [key for key in keys if value.get(key) is not None]
    if not used:
        yield Finding(field, f"{what} has none of {', '.join(keys)}; write exactly one", code=Code.ONE_OF)
    elif len(used) > 1:
        yield Finding(field, f"{what} has {' and '.join(used)}; write exactly one", code=Code.ONE_OF)
