"""What a run's object remembers of where else it was launched."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.environment import Launch
from sluice.domain.launching.placement import Placement, RemoteCluster
from sluice.domain.launching.traces import FINALIZER, PLACES, is_marked, leaves_traces, marked, places_of, unmarked
from tests.domain.launching.builders import placement

HOME = placement()
NEXT_DOOR = placement(namespace="jobs")
FAR = placement(namespace="jobs", cluster={"kubeconfigSecret": "far", "context": "east", "runnerUrl": "https://x:1"})
BARE = {"name": "r", "namespace": "support"}


def test_only_what_nobody_owns_leaves_traces() -> None:
    assert [leaves_traces(place) for place in (HOME, NEXT_DOOR, FAR)] == [False, True, True]
    assert not leaves_traces(placement(embedded=True, launch="Process", namespace="jobs"))


def test_a_run_at_home_is_left_as_it_is() -> None:
    assert marked(BARE, HOME) is BARE
    assert places_of(BARE) == ()


def test_a_run_is_marked_once_for_each_place() -> None:
    once = marked(BARE, NEXT_DOOR)
    assert is_marked(once)
    assert marked(once, NEXT_DOOR) is once

    twice = marked(once, FAR)
    assert twice["finalizers"] == [FINALIZER]
    assert twice["annotations"][PLACES] == (
        '[{"namespace":"jobs"},{"namespace":"jobs","secret":"far","context":"east"}]'
    )
    assert places_of(twice) == (
        Placement(Launch.JOB, "support", "jobs", ""),
        Placement(Launch.JOB, "support", "jobs", "", cluster=RemoteCluster("far", "east")),
    )
    assert BARE == {"name": "r", "namespace": "support"}


def test_what_others_wrote_stays() -> None:
    others = {**BARE, "finalizers": ["example.com/x"], "annotations": {"a": "b"}, "labels": {"c": "d"}}
    made = marked(others, FAR)
    assert made["finalizers"] == ["example.com/x", FINALIZER]
    assert made["annotations"]["a"] == "b"
    assert unmarked(made)["finalizers"] == ["example.com/x"]


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '["x"]', '[{"namespace": 1}]', '[{"secret": "far"}]', '[{"namespace": "x", "y": "z"}]']
)
def test_what_is_no_place_is_left_out(text: str) -> None:
    metadata: dict[str, Any] = {**BARE, "annotations": {PLACES: text}}
    assert places_of(metadata) == ()
    assert places_of(marked(metadata, NEXT_DOOR)) == (Placement(Launch.JOB, "support", "jobs", ""),)


def test_a_run_whose_finalizer_somebody_removed_is_marked_again() -> None:
    removed = unmarked(marked(BARE, FAR))
    assert not is_marked(removed)
    assert is_marked(marked(removed, FAR))
    assert len(places_of(marked(removed, FAR))) == 1
