"""Leases as they are read and written."""

from __future__ import annotations

import datetime as dt

import pytest

from sluice.adapters.kubernetes.leases import Claim, LeaseName, Record, claimed, read, released, renewed
from sluice.ports.store import Obj

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=dt.UTC)
NAME = LeaseName()
CLAIM = Claim("a", 3, 15.0, "https://10.0.0.1:8443")


def lease(**spec: object) -> Obj:
    return {
        "metadata": {"namespace": NAME.namespace, "name": NAME.name, "resourceVersion": "7", "labels": {"team": "ops"}},
        "spec": spec,
    }


def test_the_lease_is_the_controllers() -> None:
    assert str(NAME) == "sluice-system/sluice-controller"
    assert (NAME.ref.kind.plural, NAME.ref.namespace, NAME.ref.name) == ("leases", "sluice-system", "sluice-controller")


@pytest.mark.parametrize(
    ("written", "record"),
    [
        ({"metadata": {}}, Record("", 0, 0.0)),
        ({"metadata": {"annotations": None}, "spec": None}, Record("", 0, 0.0)),
        ({"metadata": {}, "spec": {"holderIdentity": None, "leaseTransitions": None}}, Record("", 0, 0.0)),
        (claimed(None, NAME, CLAIM, NOW), Record("a", 3, 15.0, "https://10.0.0.1:8443")),
        (released(claimed(None, NAME, CLAIM, NOW), NOW), Record("", 3, 1.0)),
    ],
)
def test_a_lease_is_read_whatever_is_left_out(written: Obj, record: Record) -> None:
    assert read(written) == record


def test_a_claim_takes_the_place_of_what_was_there() -> None:
    before = lease(
        holderIdentity="b", leaseTransitions=2, leaseDurationSeconds=1, renewTime="2026-03-01T11:00:00.000000Z"
    )
    made = claimed(before, NAME, CLAIM, NOW)
    assert made["metadata"]["resourceVersion"] == "7"
    assert made["metadata"]["labels"] == {"team": "ops"}
    assert made["spec"] == {
        "holderIdentity": "a",
        "leaseTransitions": 3,
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-03-01T12:00:00.250000Z",
        "renewTime": "2026-03-01T12:00:00.250000Z",
    }
    assert before["spec"]["holderIdentity"] == "b"


def test_who_names_no_place_for_runners_leaves_none_of_its_predecessor() -> None:
    made = claimed(claimed(None, NAME, CLAIM, NOW), NAME, Claim("b", 4, 15.0), NOW)
    assert read(made).runner_url == ""


def test_a_renewal_changes_the_time_and_nothing_else() -> None:
    before = claimed(None, NAME, CLAIM, NOW)
    made = renewed(before, NOW + dt.timedelta(seconds=2))
    assert made["spec"] == before["spec"] | {"renewTime": "2026-03-01T12:00:02.250000Z"}
    assert made["metadata"] == before["metadata"]


def test_two_renewals_at_one_moment_differ() -> None:
    before = claimed(None, NAME, CLAIM, NOW)
    assert renewed(before, NOW)["spec"]["renewTime"] == "2026-03-01T12:00:00.250001Z"


def test_a_renew_time_that_nobody_can_read_does_no_harm() -> None:
    assert renewed(lease(renewTime="yesterday"), NOW)["spec"]["renewTime"] == "2026-03-01T12:00:00.250000Z"
