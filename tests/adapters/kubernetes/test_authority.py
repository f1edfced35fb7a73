"""The Secret with the controller's certificates: made once, renewed in time, never taken from anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from sluice.adapters.kubernetes.authority import server_names
from sluice.adapters.kubernetes.issuing import is_issued_by, names_of, validity_of
from tests.adapters.kubernetes.authorities import LABELS, Place, leaf, roots
from tests.adapters.sqlite.stores import Opened


@pytest.fixture
def place() -> Iterator[Place]:
    with Opened() as opened:
        yield Place(opened)


def test_the_first_replica_makes_an_authority_and_what_is_served(place: Place) -> None:
    made = place.replica().refresh()
    (root,) = roots(made)
    assert is_issued_by(leaf(made), root)
    assert names_of(leaf(made)) == set(server_names("default"))
    assert made.ends == validity_of(leaf(made)).ends == place.clock.now() + dt.timedelta(days=90)
    assert validity_of(root).ends == place.clock.now() + dt.timedelta(days=3650)
    assert place.secret["type"] == "kubernetes.io/tls"
    assert place.secret["metadata"]["labels"] == LABELS
    assert sorted(place.secret["data"]) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]
    assert "PRIVATE" not in repr(made)


def test_the_controller_is_known_by_the_names_of_its_service() -> None:
    assert server_names("sluice-system") == (
        "sluice-controller.sluice-system.svc",
        "sluice-controller.sluice-system.svc.cluster.local",
        "sluice-controller.sluice-system",
        "sluice-controller",
    )


def test_the_other_replicas_take_what_is_there_and_write_nothing(place: Place) -> None:
    made = place.replica().refresh()
    version = place.secret["metadata"]["resourceVersion"]
    assert place.replica().refresh() == made
    assert place.secret["metadata"]["resourceVersion"] == version


def test_replicas_look_again_after_ten_minutes(place: Place) -> None:
    assert place.replica().refresh().refresh_by == place.clock.now() + dt.timedelta(minutes=10)


def test_what_is_served_is_renewed_at_two_thirds_of_its_life(place: Place) -> None:
    made = place.replica().refresh()
    place.clock.advance(days=59, hours=23)
    assert place.replica().refresh().serving == made.serving
    place.clock.advance(hours=1)
    renewed = place.replica().refresh()
    assert renewed.serving != made.serving
    assert renewed.authorities == made.authorities
    assert renewed.ends == place.clock.now() + dt.timedelta(days=90)


def test_a_new_authority_is_known_for_two_months_before_it_signs(place: Place) -> None:
    old = place.replica().refresh()
    place.clock.advance(days=3650 - 365)
    both = place.replica().refresh()
    newest, older = roots(both)
    assert (older,) == roots(old)
    assert is_issued_by(leaf(both), older)
    place.clock.advance(days=59)
    assert place.replica().refresh().serving == both.serving
    place.clock.advance(days=1)
    after = place.replica().refresh()
    assert is_issued_by(leaf(after), newest)
    assert roots(after) == (newest, older)


def test_an_authority_whose_time_is_over_is_forgotten(place: Place) -> None:
    place.replica().refresh()
    for _ in range(12):
        place.clock.advance(days=365)
        last = place.replica().refresh()
    assert len(roots(last)) == 1


def test_a_controller_that_was_away_for_decades_starts_anew(place: Place) -> None:
    old = place.replica().refresh()
    place.clock.advance(days=20 * 365)
    made = place.replica().refresh()
    (root,) = roots(made)
    assert (root,) != roots(old)
    assert is_issued_by(leaf(made), root)
    assert made.ends > place.clock.now()
