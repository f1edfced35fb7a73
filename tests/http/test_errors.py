"""Every error that a store raises, in the shape that clients read."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.server import RouteGroup
from sluice.ports.errors import (
    Cause,
    Conflict,
    FieldConflict,
    Gone,
    Invalid,
    NotFound,
    PortError,
    TooLarge,
    Unavailable,
)
from sluice.ports.store import Obj, Ref
from tests.http.client import Client
from tests.http.places import WORKFLOWS

ALPHA = f"{WORKFLOWS}/alpha"


class RefusingStore:
    """Answers every read with one error; what a real store does when the disk is full takes a full disk."""

    def __init__(self) -> None:
        self.refuse: Exception = NotFound('workflows.sluice.dev "alpha" not found')

    def get(self, ref: Ref) -> Obj:
        raise self.refuse


@pytest.fixture
def store() -> RefusingStore:
    return RefusingStore()


@pytest.fixture
def group(store: Any, access: Access) -> RouteGroup:
    return kubernetes_group(store, Catalog(), access=access, acting_as=lambda actor: store)


def test_a_missing_object_is_named(client: Client) -> None:
    body = client.get(ALPHA).json()

    assert body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'workflows.sluice.dev "alpha" not found',
        "reason": "NotFound",
        "details": {"name": "alpha", "group": "sluice.dev", "kind": "workflows"},
        "code": 404,
    }


def test_invalid_names_kind_and_field_of_each_cause(client: Client, store: RefusingStore) -> None:
    store.refuse = Invalid("is invalid", (Cause("spec.steps[0].retries", "must be positive"),))
    body = client.get(ALPHA).json()

    assert body["details"] == {
        "name": "alpha",
        "group": "sluice.dev",
        "kind": "Workflow",
        "causes": [{"reason": "FieldValueInvalid", "message": "must be positive", "field": "spec.steps[0].retries"}],
    }


def test_a_conflict_of_managers_names_each_field(client: Client, store: RefusingStore) -> None:
    store.refuse = Conflict("Apply failed with 1 conflict", (FieldConflict("git", ".spec.percent"),))

    assert client.get(ALPHA).json()["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "git"', "field": ".spec.percent"}
    ]


def test_an_outage_says_when_to_try_again(client: Client, store: RefusingStore) -> None:
    store.refuse = Unavailable("disk full: nothing was written")
    response = client.get(ALPHA)

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["details"] == {"retryAfterSeconds": 1}


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (Gone("old"), 410, "Expired"),
        (TooLarge("big"), 413, "RequestEntityTooLarge"),
        (PortError("?"), 500, "InternalError"),
    ],
)
def test_codes_and_reasons_are_kubernetes(
    client: Client, store: RefusingStore, error: PortError, code: int, reason: str
) -> None:
    store.refuse = error
    response = client.get(ALPHA)

    assert (response.status_code, response.json()["reason"]) == (code, reason)


def test_a_bug_is_an_internal_error_without_its_secrets(
    client: Client, store: RefusingStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.refuse = RuntimeError("password hunter2")
    response = client.get(ALPHA)

    assert (response.status_code, response.json()["reason"]) == (500, "InternalError")
    assert "hunter2" not in response.text
    assert "hunter2" in caplog.text
