"""The Secret with the controller's certificates: made once, renewed in time, never taken from anybody."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509

from sluice.adapters.kubernetes.authority import NAME, Authority, Certificates, server_names
from sluice.adapters.kubernetes.issuing import is_issued_by, names_of, read_certificates, validity_of
from sluice.api.kinds import SECRET
from sluice.ports.errors import AlreadyExists, Conflict, Invalid, Unavailable
from sluice.ports.store import Obj, Ref, Store
from tests.adapters.sqlite.stores import HandClock, Opened

REF = Ref(SECRET, "default", NAME)
LABELS = {"app.kubernetes.io/managed-by": "sluice"}


class Place:
    """A store, a clock, and as many replicas as a test wants."""

    def __init__(self, opened: Opened) -> None:
        self.store = opened.store
        self.clock: HandClock = opened.clock

    def replica(self, store: Store | None = None) -> Authority:
        return Authority(store or self.store, "default", clock=self.clock)

    @property
    def secret(self) -> Obj:
        return self.store.get(REF)

    def spoil(self, **data: str | None) -> None:
        """Change values of the Secret; ``ca_key`` is ``ca.key``."""
        self.store.patch(REF, {"data": {key.replace("_", "."): value for key, value in data.items()}})


@pytest.fixture
def place() -> Iterator[Place]:
    with Opened() as opened:
        yield Place(opened)


def leaf(certificates: Certificates) -> x509.Certificate:
    (made,) = read_certificates(certificates.serving)
    return made


def roots(certificates: Certificates) -> tuple[x509.Certificate, ...]:
    return read_certificates(certificates.authorities.encode())


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


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


# -- several replicas -----------------------------------------------------------------------------------------------
class Racing:
    """A store on which another replica is faster by one write."""

    def __init__(self, store: Store, first: Callable[[], object]) -> None:
        self._store = store
        self._first: Callable[[], object] | None = first

    def get(self, ref: Ref) -> Obj:
        return self._store.get(ref)

    def create(self, obj: Obj) -> Obj:
        return self._after_the_other(self._store.create, obj)

    def update(self, obj: Obj) -> Obj:
        return self._after_the_other(self._store.update, obj)

    def _after_the_other(self, write: Callable[[Obj], Obj], obj: Obj) -> Obj:
        first, self._first = self._first, None
        if first is not None:
            first()
        return write(obj)


def test_who_loses_the_race_to_make_it_takes_the_winners(place: Place) -> None:
    winner = place.replica()
    loser = place.replica(Racing(place.store, winner.refresh))  # type: ignore[arg-type]
    assert loser.refresh() == winner.refresh()


def test_who_loses_the_race_to_renew_takes_the_winners(place: Place) -> None:
    winner = place.replica()
    winner.refresh()
    place.clock.advance(days=61)
    loser = place.replica(Racing(place.store, winner.refresh))  # type: ignore[arg-type]
    assert loser.refresh() == winner.refresh()


def test_a_secret_that_is_deleted_while_it_is_renewed_is_made_anew(place: Place) -> None:
    place.replica().refresh()
    place.clock.advance(days=61)
    replica = place.replica(Racing(place.store, lambda: place.store.delete(REF)))  # type: ignore[arg-type]
    assert place.replica().refresh() == replica.refresh()


def test_many_replicas_at_once_have_one_authority(place: Place) -> None:
    start, made = threading.Barrier(8), []

    def begin() -> None:
        start.wait(20)
        made.append(place.replica().refresh())

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 8
    assert len({one.authorities for one in made}) == len({one.serving for one in made}) == 1


def test_a_secret_that_somebody_changes_all_the_time_is_left_alone(place: Place) -> None:
    place.replica().refresh()
    place.clock.advance(days=61)
    store: Any = Racing(place.store, lambda: None)
    touches = iter(range(100))

    def touch_and_write(obj: Obj) -> Obj:
        place.store.patch(REF, {"metadata": {"labels": {"touched": str(next(touches))}}})
        return place.store.update(obj)

    store.update = touch_and_write
    with pytest.raises(Conflict, match="changes all the time"):
        place.replica(store).refresh()


def test_a_store_that_is_away_is_told_of(place: Place) -> None:
    def lose() -> None:
        raise Unavailable("no connection")

    with pytest.raises(Unavailable):
        place.replica(Racing(place.store, lose)).refresh()  # type: ignore[arg-type]


# -- Secrets of others, and damaged ones ----------------------------------------------------------------------------
def given(**extra: Any) -> Obj:
    metadata = {"namespace": "default", "name": NAME, **extra.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **extra}


@pytest.mark.parametrize(
    ("secret", "error", "words"),
    [
        (given(type="kubernetes.io/tls", data={"tls.crt": text("x"), "tls.key": text("y")}), AlreadyExists, "no label"),
        (given(metadata={"labels": {"app.kubernetes.io/managed-by": "Helm"}}), AlreadyExists, "no label"),
        (given(metadata={"labels": LABELS}, type="Opaque"), Invalid, "of type Opaque"),
        (given(metadata={"labels": LABELS}, type="kubernetes.io/tls", immutable=True), Invalid, "is immutable"),
    ],
)
def test_what_is_not_the_controllers_is_not_touched(
    place: Place, secret: Obj, error: type[Exception], words: str
) -> None:
    before = place.store.create(secret)
    with pytest.raises(error, match=rf"{words}.*kubectl delete secret --namespace default {NAME}"):
        place.replica().refresh()
    assert place.secret == before


def test_a_serving_certificate_that_is_damaged_is_made_anew_by_the_same_authority(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    made = place.replica().refresh()
    for damage in ("", text("no certificate"), "no base64 %", text(made.authorities)):
        place.spoil(tls_crt=damage)
        mended = place.replica().refresh()
        assert mended.authorities == made.authorities
        assert is_issued_by(leaf(mended), roots(made)[0])
    assert "tls.crt and tls.key" in caplog.text


def test_a_key_of_another_certificate_is_replaced_with_its_certificate(place: Place) -> None:
    made = place.replica().refresh()
    place.spoil(tls_key=place.secret["data"]["ca.key"])
    mended = place.replica().refresh()
    assert mended.authorities == made.authorities
    assert mended.serving != made.serving


def test_an_authority_that_lost_its_key_has_a_successor_that_signs_later(place: Place) -> None:
    """What is served is still good, and trusted by those who know the old one only."""
    made = place.replica().refresh()
    place.spoil(ca_key=text("gone"))
    mended = place.replica().refresh()
    assert (mended.serving, roots(mended)[1:]) == (made.serving, roots(made))
    place.clock.advance(days=60)
    assert is_issued_by(leaf(place.replica().refresh()), roots(mended)[0])


def test_an_authority_that_is_damaged_is_made_anew_with_all_that_it_signed(place: Place) -> None:
    made = place.replica().refresh()
    place.spoil(ca_crt=text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
    mended = place.replica().refresh()
    assert mended.authorities != made.authorities
    (root,) = roots(mended)
    assert is_issued_by(leaf(mended), root)


def test_a_secret_of_ours_that_is_empty_is_filled(place: Place) -> None:
    place.store.create(
        given(metadata={"labels": LABELS}, type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""})
    )
    assert place.replica().refresh() == place.replica().refresh()


def test_what_others_keep_in_the_secret_stays(place: Place) -> None:
    place.replica().refresh()
    place.spoil(note=text("mine"))
    place.clock.advance(days=61)
    place.replica().refresh()
    assert place.secret["data"]["note"] == text("mine")


def test_a_certificate_for_fewer_names_is_replaced_and_one_for_more_is_kept(place: Place) -> None:
    """So two releases that know other names don't undo each other's work while both run."""
    made = place.replica().refresh()
    names = (*server_names("default"), "sluice.example.com")
    wider = Authority(place.store, "default", names=names, clock=place.clock).refresh()
    assert "sluice.example.com" in names_of(leaf(wider))
    assert wider.authorities == made.authorities
    assert place.replica().refresh() == wider
