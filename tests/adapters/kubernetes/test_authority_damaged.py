"""The Secret with the certificates, damaged or somebody else's: mended where it is ours, never taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.adapters.kubernetes.authority import NAME, Authority, server_names
from sluice.adapters.kubernetes.issuing import is_issued_by, names_of
from sluice.ports.errors import AlreadyExists, Invalid
from sluice.ports.store import Obj
from tests.adapters.kubernetes.authorities import LABELS, Place, leaf, roots, text
from tests.adapters.sqlite.stores import Opened


@pytest.fixture
def place() -> Iterator[Place]:
    with Opened() as opened:
        yield Place(opened)


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
