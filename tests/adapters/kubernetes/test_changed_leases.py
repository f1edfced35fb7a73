"""Leases that were made, deleted or restored by others."""

from __future__ import annotations

from sluice.ports.leadership import Holder
from tests.adapters.kubernetes.elections import NAME, Scene, told


def test_a_lease_that_somebody_made_beforehand_is_used(scene: Scene) -> None:
    made = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"namespace": "default", "name": "leader"},
    }
    scene.store.create(made)
    assert scene.leader().term == 1


def test_a_leader_whose_lease_is_deleted_makes_it_again_in_its_term(scene: Scene) -> None:
    a, b = scene.leader("a"), scene.candidate("b")
    b.step()
    deleted = scene.store.delete(NAME.ref)
    for candidate in (a, b):
        assert not candidate.hear(
            told(deleted | {"metadata": deleted["metadata"] | {"resourceVersion": "1000"}}, "DELETED")
        )
    b.step()
    assert (a.is_leading(), b.is_leading(), b.holder()) == (True, False, Holder("a", "https://a:8443"))
    a.step()
    assert (a.is_leading(), scene.record.holder, scene.record.term) == (True, "a", 1)
    scene.clock.advance(9)
    b.step()
    assert not b.is_leading()


def test_a_leader_hears_of_a_deleted_lease_by_its_renewal_too(scene: Scene) -> None:
    a = scene.leader("a")
    scene.store.delete(NAME.ref)
    a.step()
    assert (a.is_leading(), scene.record.holder, a.term) == (True, "a", 1)


def test_a_lease_that_is_deleted_for_good_is_made_anew_with_a_higher_term(scene: Scene) -> None:
    scene.leader("a")
    b = scene.candidate("b")
    b.step()
    scene.store.delete(NAME.ref)
    b.step()
    assert not b.is_leading()
    scene.clock.advance(15)
    b.step()
    assert (b.is_leading(), b.term, scene.record.term) == (True, 2, 2)


def test_a_candidate_whose_first_word_is_that_the_lease_was_deleted_waits(scene: Scene) -> None:
    scene.leader("a")
    deleted = scene.store.delete(NAME.ref)
    b = scene.candidate("b")
    b.hear(told(deleted, "DELETED"))
    b.step()
    assert not b.is_leading()


def test_late_words_of_a_watch_change_nothing(scene: Scene) -> None:
    a, b = scene.leader("a"), scene.candidate("b")
    old = told(scene.lease, "ADDED")
    scene.clock.advance(2)
    a.step()
    b.step()
    scene.clock.advance(14)
    assert not b.hear(old)
    scene.clock.advance(1)
    b.step()
    assert b.is_leading()


def test_a_store_that_was_restored_from_an_old_backup_does_not_end_elections(scene: Scene) -> None:
    """Its resource versions are lower than those seen before."""
    a, b = scene.leader("a"), scene.candidate("b")
    future = scene.lease | {"metadata": scene.lease["metadata"] | {"resourceVersion": "99999"}}
    for candidate in (a, b):
        candidate.hear(told(future))
    a.step()
    scene.clock.advance(9)
    a.step()
    scene.clock.advance(9)
    assert a.is_leading()
    scene.clock.advance(6)
    b.step()
    scene.clock.advance(15)
    b.step()
    assert b.is_leading()
