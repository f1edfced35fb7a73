"""Which agent's answer a step follows: the one that a search from the step would meet first."""

from __future__ import annotations

from collections import deque
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.definition.validation.advice import nearest_agents
from sluice.domain.definition.validation.outline import GraphAt, Outline
from tests.domain.definition.validation.definitions import http

KINDS: dict[str, dict[str, Any]] = {
    "agent": {"agent": {"connection": "llm", "prompt": "Do it"}},
    "approval": {"approval": {"groups": ["leads"]}},
    "other": {"skill": {"name": "score"}},
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.sets(st.integers(0, 9), max_size=3)), max_size=10)


def searched(graph: GraphAt, name: str) -> str:
    """Breadth first, backwards, around approvals."""
    waiting, seen = deque(graph.before[name]), set()
    while waiting:
        source = waiting.popleft()
        kind = graph.by_name[source].kind
        if source in seen or "approval" in kind:
            continue
        seen.add(source)
        if "agent" in kind:
            return source
        waiting += graph.before[source]
    return ""


@given(STEPS)
def test_it_is_the_agent_that_a_search_meets_first(drawn: list[tuple[str, set[int]]]) -> None:
    steps = [
        {"name": f"s{at}", "needs": [f"s{need}" for need in needs if need < at], **KINDS[kind]}
        for at, (kind, needs) in enumerate(drawn)
    ]
    graph = Outline("spec.definition", {"steps": steps}).main
    found = nearest_agents(graph)
    assert {step.name: found.get(step.name, ("", 0))[0] for step in graph.steps} == {
        step.name: searched(graph, step.name) for step in graph.steps
    }


def test_an_approval_between_hides_the_agent_behind_it() -> None:
    steps = [
        {"name": "think", **KINDS["agent"]},
        {"name": "review", "needs": ["think"], **KINDS["approval"]},
        http("send", "review"),
        http("tell", "send", "think"),
        http("log", "tell"),
    ]
    assert nearest_agents(Outline("spec.definition", {"steps": steps}).main) == {
        "review": ("think", 1),
        "tell": ("think", 1),
        "log": ("think", 2),
    }
