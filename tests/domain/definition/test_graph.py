"""Topological order and cycles (R125, R128, R129, R161)."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.definition.graph import all_earlier, ancestors, find_cycle, predecessors, topological_order

NODES = [f"s{index}" for index in range(8)]
GRAPHS = st.fixed_dictionaries({name: st.lists(st.sampled_from(NODES), max_size=3, unique=True) for name in NODES})


def test_ties_go_by_declaration() -> None:
    assert topological_order({"d": ["a", "b"], "b": [], "a": [], "c": ["b"]}) == ["b", "a", "d", "c"]


def test_switches_and_error_handlers_are_edges_too() -> None:
    steps = [
        {"name": "a", "onError": {"goto": "h"}},
        {
            "name": "s",
            "needs": ["a?"],
            "logic": {"switch": {"cases": [{"when": "x", "next": ["b"]}], "default": ["c"]}},
        },
        {"name": "b"},
        {"name": "c", "needs": ["gone"]},
        {"name": "h"},
    ]
    assert predecessors(steps) == {"a": [], "s": ["a"], "b": ["s"], "c": ["s"], "h": ["a"]}


def test_a_cycle_is_named_in_the_order_it_would_run() -> None:
    assert find_cycle({"x": [], "a": ["c", "x"], "b": ["a"], "c": ["b"], "d": ["c"]}) == ["a", "b", "c", "a"]
    assert find_cycle({"a": ["a"]}) == ["a", "a"]
    assert find_cycle({"a": [], "b": ["a"]}) == []


@settings(deadline=None)
@given(GRAPHS)
def test_either_there_is_an_order_or_a_cycle(before: dict[str, list[str]]) -> None:
    order, cycle = topological_order(before), find_cycle(before)
    assert (len(order) == len(before)) != bool(cycle)
    place = {name: index for index, name in enumerate(order)}
    assert all(place[source] < place[name] for name in order for source in before[name])
    assert all(source in before[name] for source, name in itertools.pairwise(cycle))
    if cycle:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1


@settings(deadline=None)
@given(GRAPHS)
def test_ancestors_are_closed_under_before(before: dict[str, list[str]]) -> None:
    order = topological_order(before)
    found = ancestors(before, order)
    for name in order:
        assert set(before[name]) <= found[name]
        assert all(found[source] <= found[name] for source in found[name])


@settings(deadline=None)
@given(GRAPHS)
def test_whether_a_step_is_an_ancestor_is_known_without_the_sets(before: dict[str, list[str]]) -> None:
    found = ancestors(before, topological_order(before))
    assert {name: {other for other in before if found.has(name, other)} for name in found} == dict(found)
    assert not any(found.has(name, other) for name in before.keys() - found.keys() for other in before)


def test_in_sequential_all_earlier_steps_have_ended() -> None:
    found = all_earlier(["b", "a", "c"])
    assert dict(found) == {"b": set(), "a": {"b"}, "c": {"a", "b"}}
    assert "z" not in found
