"""When a standby may take over, and which of several does."""

from __future__ import annotations

import pytest

from sluice.adapters.kubernetes.candidacy import Times
from sluice.ports.errors import Unavailable
from sluice.ports.leadership import Holder
from tests.adapters.kubernetes.elections import Hands, Scene, away, told


def test_a_silent_leader_is_succeeded_after_the_duration_since_its_last_sign_of_life_was_seen(scene: Scene) -> None:
    scene.leader("a")
    scene.clock.advance(7)
    b = scene.candidate("b")
    b.step()
    scene.clock.advance(14.9)
    b.step()
    assert not b.is_leading()
    scene.clock.advance(0.1)
    b.step()
    assert (b.is_leading(), b.term) == (True, 2)
    assert scene.record.holder == "b"


def test_a_slow_look_counts_from_its_answer(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    scene.paths["b"].after["get"] = lambda: scene.clock.advance(5)
    b.step()
    scene.clock.advance(14.9)
    b.step()
    assert not b.is_leading()


def test_times_of_day_do_not_matter(scene: Scene) -> None:
    """The leader's clock is a year ahead or behind; what it writes is compared with nobody's."""
    for days in (365, -365):
        ahead = Hands()
        ahead.time = ahead.time.replace(year=ahead.time.year + (1 if days > 0 else -1))
        a = scene.candidate(f"a{days}", clock=ahead)
        b = scene.candidate(f"b{days}")
        if days < 0:
            scene.change(holderIdentity="")
        a.step()
        assert a.is_leading()
        for _ in range(20):
            b.step()
            scene.clock.advance(2)
            ahead.advance(2)
            a.step()
        assert (a.is_leading(), b.is_leading()) == (True, False)
        b.step()
        scene.clock.advance(15)
        b.step()
        assert b.is_leading()


def test_a_leader_that_says_it_needs_more_time_gets_it(scene: Scene) -> None:
    """Two releases with other times stand side by side while one replaces the other."""
    patient = scene.candidate("a", Times(60.0, 40.0, 2.0))
    patient.step()
    b = scene.candidate("b")
    b.step()
    scene.clock.advance(59)
    b.step()
    assert not b.is_leading()
    scene.clock.advance(1)
    b.step()
    assert b.is_leading()


def test_a_released_lease_is_claimed_as_soon_as_it_is_heard_of(scene: Scene) -> None:
    a, b = scene.leader("a"), scene.candidate("b")
    b.step()
    a.retire()
    assert not a.is_leading()
    a.vacate()
    assert "annotations" not in scene.lease["metadata"] or not scene.lease["metadata"]["annotations"]
    scene.paths["b"].asked.clear()
    assert b.hear(told(scene.lease))
    b.step()
    assert (b.is_leading(), b.term) == (True, 2)
    assert scene.paths["b"].asked == ["update"]


def test_of_two_who_claim_one_wins(scene: Scene) -> None:
    a, b, c = scene.leader("a"), scene.candidate("b"), scene.candidate("c")
    b.step()
    c.step()
    scene.clock.advance(15)
    scene.paths["b"].before["update"] = c.step
    b.step()
    assert (a.is_leading(), b.is_leading(), c.is_leading()) == (False, False, True)
    assert b.holder() == Holder("c", "https://c:8443")


def test_what_is_claimed_is_what_was_seen_to_be_silent(scene: Scene) -> None:
    a, b = scene.leader("a"), scene.candidate("b")
    b.step()
    scene.clock.advance(9.9)
    a.step()
    scene.clock.advance(5.1)
    b.step()
    assert (a.is_leading(), b.is_leading()) == (True, False)


def test_a_claim_that_was_overruled_before_its_answer_came_makes_no_leader(scene: Scene) -> None:
    a = scene.candidate("a")
    scene.paths["a"].after["create"] = lambda: a.hear(scene.change(holderIdentity="somebody"))
    a.step()
    assert not a.is_leading()


def test_a_claim_whose_answer_is_lost_is_made_again(scene: Scene) -> None:
    a = scene.candidate("a")
    scene.paths["a"].after["create"] = away
    with pytest.raises(Unavailable):
        a.step()
    assert not a.is_leading()
    assert scene.record.holder == "a"
    scene.clock.advance(2)
    a.step()
    assert (a.is_leading(), a.term) == (True, 2)
