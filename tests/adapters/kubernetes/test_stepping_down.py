"""Leaders that leave, and what becomes of their Lease."""

from __future__ import annotations

import pytest

from sluice.ports.errors import Unavailable
from tests.adapters.kubernetes.elections import NAME, Scene, away


def test_who_retires_while_it_wins_does_not_lead_and_leaves_the_lease_free(scene: Scene) -> None:
    a = scene.candidate("a")
    scene.paths["a"].after["create"] = a.retire
    a.step()
    assert not a.is_leading()
    a.vacate()
    assert scene.record.holder == ""


def test_who_does_not_know_whether_it_won_looks_before_it_leaves(scene: Scene) -> None:
    a = scene.candidate("a")
    scene.paths["a"].after["create"] = away
    with pytest.raises(Unavailable):
        a.step()
    a.retire()
    a.vacate()
    assert scene.record.holder == ""


def test_who_never_led_leaves_the_lease_alone(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    b.step()
    b.retire()
    b.vacate()
    b.step()
    assert scene.record.holder == "a"
    assert scene.paths["b"].asked == ["get"]


def test_a_lease_that_changed_while_it_is_released_is_released_all_the_same(scene: Scene) -> None:
    a = scene.leader("a")
    scene.store.patch(NAME.ref, {"metadata": {"labels": {"team": "ops"}}})
    a.retire()
    a.vacate()
    assert scene.record.holder == ""


def test_a_lease_that_somebody_else_took_is_not_released(scene: Scene) -> None:
    a = scene.leader("a")
    scene.change(holderIdentity="b")
    a.retire()
    a.vacate()
    assert scene.record.holder == "b"


def test_who_stands_back_leaves_the_next_election_to_others(scene: Scene) -> None:
    a = scene.leader("a")
    a.stand_back()
    assert not a.is_leading()
    a.step()
    assert (a.is_leading(), scene.record.holder) == (False, "")
    scene.clock.advance(14.9)
    a.step()
    assert not a.is_leading()
    scene.clock.advance(0.1)
    a.step()
    assert (a.is_leading(), a.term) == (True, 2)
