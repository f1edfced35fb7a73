"""A definition as validation walks it: graphs of steps, whatever the spelling, each knowing where it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as having
from functools import cached_property
from itertools import chain
from typing import Any

from sluice.api.unions import ACTION_KINDS, LOGIC_KINDS, STEP_KINDS
from sluice.domain.definition.graph import Ancestors, all_earlier, ancestors, predecessors, topological_order
from sluice.domain.definition.spellings import DIRECT_ACTIONS, is_trigger, steps_of
from sluice.domain.definition.validation.findings import join

KINDS_WITHIN: Mapping[str, tuple[str, ...]] = {"action": ACTION_KINDS, "logic": LOGIC_KINDS}
"""The kinds whose own one key tells more."""


@dataclass(frozen=True)
class StepAt:
    """A step in the spelling of ``steps``, and the field where it was written. ``moved`` maps paths within the step to the
    fields where they really stand; ``needs`` maps each need to the field that says it."""

    name: str
    body: Mapping[str, Any]
    field: str
    needs: Mapping[str, str] = having(default_factory=dict)
    moved: Mapping[tuple[str | int, ...], str] = having(default_factory=dict)

    def at(self, *path: str | int) -> str:
        """The field of a value within the step, as it was written."""
        for length in range(len(path), 0, -1) if self.moved else ():
            start = self.moved.get(path[:length])
            if start is not None:
                return join(start, *path[length:])
        return join(self.field, *path)

    @cached_property
    def kind(self) -> tuple[str, ...]:
        """``("notify",)`` or ``("action", "http")``; empty for a step with no kind or more than one."""
        kinds = [kind for kind in STEP_KINDS if self.body.get(kind) is not None]
        if len(kinds) != 1:
            return ()
        within = [kind for kind in KINDS_WITHIN.get(kinds[0], ()) if self.body[kinds[0]].get(kind) is not None]
        return (kinds[0], *within) if len(within) <= 1 else ()

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The fields of the step's kind."""
        found: Mapping[str, Any] = self.body
        for part in self.kind:
            found = found[part]
        return found


@dataclass(frozen=True)
class GraphAt:
    """Steps that see each other. ``known`` are names of steps outside that it sees too (``finally`` sees all)."""

    field: str
    steps: Sequence[StepAt]
    params: Mapping[str, Any]
    outputs: Mapping[str, Any]
    sequential: bool = False
    final: bool = False
    outside: frozenset[str] = frozenset()
    local: frozenset[str] = frozenset()

    @cached_property
    def before(self) -> dict[str, list[str]]:
        """For each step those directly before it."""
        return predecessors([step.body for step in self.steps])

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its steps."""
        return frozenset(step.name for step in self.steps)

    @cached_property
    def by_name(self) -> dict[str, StepAt]:
        """Its steps by name; of several with one name the first."""
        return {step.name: step for step in reversed(self.steps)}

    @cached_property
    def order(self) -> list[str]:
        """Its steps, each after those before it; without those on a cycle and behind one."""
        return topological_order(self.before)

    @cached_property
    def _ended(self) -> Ancestors:
        return all_earlier(self.order) if self.sequential else ancestors(self.before, self.order)

    def is_ordered(self, step: str) -> bool:
        """Whether it is known what comes before a step: not on a cycle, nor behind one."""
        return step in self._ended

    def sees(self, step: str, other: str) -> bool:
        """Whether a step sees the results of another: its ancestors'; in Sequential, those of all earlier ones."""
        return self._ended.has(step, other) or (other in self.outside and step in self._ended)

    def visible(self, step: str) -> frozenset[str]:
        """The steps whose results a step sees. It takes a look at all of them: `sees` answers for one."""
        return self._ended[step] | self.outside if step in self._ended else frozenset()


@dataclass(frozen=True)
class Outline:
    """All graphs of a definition."""

    field: str
    definition: Mapping[str, Any]

    @cached_property
    def main(self) -> GraphAt:
        """The steps of the workflow itself."""
        return GraphAt(
            field=self.field,
            steps=_main_steps(self.definition, self.field),
            params=self.definition.get("params") or {},
            outputs=self.definition.get("outputs") or {},
            sequential=self.definition.get("execution") == "Sequential",
        )

    @cached_property
    def final(self) -> GraphAt:
        """The steps of ``finally``, which see all of the main ones."""
        return GraphAt(
            field=join(self.field, "finally"),
            steps=_listed(self.definition.get("finally") or (), join(self.field, "finally")),
            params=self.main.params,
            outputs={},
            sequential=self.main.sequential,
            final=True,
            outside=self.main.names,
        )

    @cached_property
    def named(self) -> dict[str, GraphAt]:
        """The bodies of loops and calls, by name."""
        return {
            name: GraphAt(
                field=join(self.field, "graphs", name),
                steps=_listed(graph["steps"], join(self.field, "graphs", name, "steps")),
                params=graph.get("params") or {},
                outputs=graph.get("outputs") or {},
                sequential=self.main.sequential,
                local=frozenset(self._items.get(name, ())),
            )
            for name, graph in (self.definition.get("graphs") or {}).items()
        }

    def graphs(self) -> list[GraphAt]:
        """Every graph, the main one first."""
        return [self.main, self.final, *self.named.values()]

    @cached_property
    def _items(self) -> dict[str, set[str]]:
        """What loops over each graph call their item."""
        graphs = (graph["steps"] for graph in (self.definition.get("graphs") or {}).values())
        bodies = chain((step.body for step in self.main.steps), self.definition.get("finally") or (), *graphs)
        found: dict[str, set[str]] = {}
        for step in bodies:
            loop = (step.get("logic") or {}).get("forEach")
            if loop:
                found.setdefault(loop["graph"], set()).add(loop["as"])
        return found


def _listed(steps: Sequence[Mapping[str, Any]], where: str) -> list[StepAt]:
    return [
        StepAt(
            name=step["name"],
            body=step,
            field=join(where, index),
            needs={need: join(where, index, "needs", place) for place, need in enumerate(step.get("needs") or ())},
        )
        for index, step in enumerate(steps)
    ]


def _main_steps(definition: Mapping[str, Any], where: str) -> list[StepAt]:
    if definition.get("steps") is not None:
        return _listed(definition["steps"], join(where, "steps"))
    if definition.get("nodes") is not None:
        return _nodes(definition, where)
    return _tasks(definition, where)


def _nodes(definition: Mapping[str, Any], where: str) -> list[StepAt]:
    leading: dict[str, dict[str, str]] = {}
    for key, edge in (definition.get("edges") or {}).items():
        leading.setdefault(edge["target"], {})[edge["source"]] = join(where, "edges", key, "source")
    found = []
    for body in steps_of(definition):
        name = body["name"]
        field_ = join(where, "nodes", name)
        moved: dict[tuple[str | int, ...], str] = {}
        if definition["nodes"][name].get("pyCode") is not None:
            moved[("action", "python", "code")] = join(field_, "pyCode")
        found.append(StepAt(name, body, field_, leading.get(name, {}), moved))
    return found


def _tasks(definition: Mapping[str, Any], where: str) -> list[StepAt]:
    """Each task's step; the promotion that a build brings along is where the build asked for it."""
    bodies = iter(steps_of(definition))
    found: list[StepAt] = []
    for index, (task, body) in enumerate(zip(definition.get("tasks") or (), bodies, strict=False)):
        field = join(where, "tasks", index)
        moved: dict[tuple[str | int, ...], str] = {
            ("action", kind): join(field, kind) for kind in DIRECT_ACTIONS if task.get(kind) is not None
        }
        found.append(StepAt(body["name"], body, field, moved=moved))
        build = (body.get("action") or {}).get("build") or {}
        if (task.get("build") or (task.get("action") or {}).get("build") or {}).get("promote") and build:
            promotion = next(bodies)
            asked = join(moved.get(("action", "build"), join(field, "action", "build")), "promote")
            shared: dict[tuple[str | int, ...], str] = {("onError",): join(field, "onError")}
            found.append(StepAt(promotion["name"], promotion, asked, moved=shared))
    return found


def trigger_nodes(definition: Mapping[str, Any]) -> list[str]:
    """The ids of the nodes that are the workflow's entry."""
    return sorted(name for name, node in (definition.get("nodes") or {}).items() if is_trigger(node))
