"""When a candidate leads, for how long, and when it looks again."""

from __future__ import annotations

import pytest

from sluice.adapters.kubernetes.candidacy import Times
from sluice.ports.errors import Unavailable
from sluice.ports.leadership import Holder
from tests.adapters.kubernetes.elections import NAME, Scene, away, told


def test_the_first_candidate_leads_at_once(scene: Scene) -> None:
    a = scene.candidate("a")
    assert (a.is_leading(), a.term, a.holder()) == (False, 0, None)
    a.step()
    assert (a.is_leading(), a.term, a.holder()) == (True, 1, Holder("a", "https://a:8443"))
    spec = scene.lease["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("a", 15, 1)
    assert spec["acquireTime"] == spec["renewTime"] == "2026-03-01T00:00:00.000000Z"
    assert scene.lease["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "sluice"}


def test_a_standby_knows_who_leads_and_where_runners_go(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    b.step()
    assert (b.is_leading(), b.holder()) == (False, Holder("a", "https://a:8443"))


def test_a_leader_leads_for_the_deadline_after_it_sent_its_last_good_renewal(scene: Scene) -> None:
    a = scene.leader()
    scene.clock.advance(2)
    scene.paths["a"].after["update"] = lambda: scene.clock.advance(3)
    a.step()
    scene.clock.advance(6.9)
    assert a.is_leading()
    scene.clock.advance(0.1)
    assert (a.is_leading(), a.term, a.holder()) == (False, 0, None)


def test_an_election_whose_answer_takes_longer_than_the_deadline_makes_no_leader(scene: Scene) -> None:
    a = scene.candidate("a")
    scene.paths["a"].after["create"] = lambda: scene.clock.advance(10)
    a.step()
    assert scene.record.holder == "a"
    assert not a.is_leading()


def test_a_good_renewal_that_comes_too_late_revives_nothing(scene: Scene) -> None:
    a = scene.leader()
    scene.clock.advance(9)
    scene.paths["a"].after["update"] = lambda: scene.clock.advance(2)
    a.step()
    assert (a.is_leading(), a.term) == (False, 0)


def test_who_lost_the_leadership_and_wins_it_again_has_a_new_term(scene: Scene) -> None:
    a = scene.leader()
    scene.clock.advance(10)
    a.step()
    assert (a.is_leading(), a.term) == (True, 2)


def test_a_leader_renews_through_short_outages(scene: Scene) -> None:
    a = scene.leader()
    for _ in range(4):
        scene.clock.advance(2)
        scene.paths["a"].before["update"] = away
        with pytest.raises(Unavailable):
            a.step()
    scene.clock.advance(1.9)
    a.step()
    scene.clock.advance(9.9)
    assert (a.is_leading(), a.term) == (True, 1)


def test_a_leader_whose_lease_somebody_labels_goes_on(scene: Scene) -> None:
    a = scene.leader()
    scene.store.patch(NAME.ref, {"metadata": {"labels": {"team": "ops"}}})
    scene.clock.advance(9)
    a.step()
    scene.clock.advance(9)
    assert a.is_leading()
    assert scene.lease["metadata"]["labels"]["team"] == "ops"


def test_a_leader_whose_lease_names_somebody_else_leads_no_more(scene: Scene) -> None:
    a = scene.leader()
    assert a.hear(scene.change(holderIdentity="somebody"))
    assert (a.is_leading(), a.holder()) == (False, Holder("somebody", "https://a:8443"))


def test_a_leader_that_was_replaced_unheard_leads_no_more_after_its_next_renewal(scene: Scene) -> None:
    a = scene.leader()
    scene.change(holderIdentity="somebody")
    a.step()
    assert not a.is_leading()
    assert scene.record.holder == "somebody"


def test_each_renewal_is_seen_by_others_even_if_the_time_of_day_stands_still(scene: Scene) -> None:
    a = scene.leader()
    versions = {scene.lease["metadata"]["resourceVersion"]}
    for _ in range(5):
        scene.clock.advance(2)
        a.step()
        versions.add(scene.lease["metadata"]["resourceVersion"])
    assert len(versions) == 6


def test_a_leader_renews_every_two_seconds(scene: Scene) -> None:
    a = scene.leader()
    scene.clock.advance(0.5)
    assert a.pause() == 1.5


def test_a_standby_looks_every_two_seconds_while_no_watch_tells(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    b.step()
    assert b.pause() == 2


def test_a_standby_that_hears_renewals_does_not_look(scene: Scene) -> None:
    a, b = scene.leader("a"), scene.candidate("b")
    b.step()
    for _ in range(5):
        scene.clock.advance(2)
        a.step()
        assert not b.hear(told(scene.lease))
        assert b.pause() == 4


def test_a_standby_claims_at_the_moment_when_the_lease_expires(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    b.step()
    scene.clock.advance(14)
    b.step()
    assert b.pause() == 1
    scene.clock.advance(1)
    assert b.pause() == 0


def test_who_is_known_to_lead_is_forgotten_when_it_is_silent(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    b.step()
    scene.clock.advance(15)
    assert b.holder() is None


@pytest.mark.parametrize("times", [(10, 10, 2), (15, 2, 2), (15, 10, 0), (15, 16, 2)])
def test_times_that_allow_two_leaders_are_refused(times: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="0 < retry < deadline < duration"):
        Times(*times)
