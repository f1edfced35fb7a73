"""Status is a subresource: it is written alone, and nothing else with it."""

from __future__ import annotations

import pytest

from sluice.ports.errors import Conflict, NotFound
from sluice.ports.store import Store
from tests.contracts.store.builders import config_map, rollout, rollout_ref, version_of


def test_a_status_write_keeps_generation_and_ignores_the_rest(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace, labels={"a": "b"}))
    changed = {
        **first,
        "metadata": {**first["metadata"], "labels": {"a": "c"}},
        "spec": {"percent": 99},
        "status": {"phase": "Idle"},
    }
    second = store.update_status(changed)
    assert second["status"] == {"phase": "Idle"}
    assert second["spec"]["percent"] == 25
    assert second["metadata"]["labels"] == {"a": "b"}
    assert second["metadata"]["generation"] == 1
    assert version_of(second) > version_of(first)


def test_a_stale_status_write_is_a_conflict(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    store.update_status({**first, "status": {"phase": "Idle"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        store.update_status({**first, "status": {"phase": "Completed"}})


def test_the_same_status_again_moves_nothing(store: Store, namespace: str) -> None:
    first = store.update_status({**store.create(rollout(namespace)), "status": {"phase": "Idle"}})
    assert store.update_status(first) == first


def test_a_status_that_is_left_out_is_removed(store: Store, namespace: str) -> None:
    first = store.update_status({**store.create(rollout(namespace)), "status": {"phase": "Idle"}})
    del first["status"]
    assert not store.update_status(first).get("status")


def test_status_can_be_patched_alone(store: Store, namespace: str) -> None:
    store.create(rollout(namespace))
    patched = store.patch(rollout_ref(namespace), {"status": {"phase": "Idle"}, "spec": {"percent": 99}}, status=True)
    assert patched["status"] == {"phase": "Idle"}
    assert patched["spec"]["percent"] == 25
    unchanged = store.patch(rollout_ref(namespace), {"status": {"phase": "Completed"}})
    assert unchanged["status"] == {"phase": "Idle"}


def test_a_kind_without_a_status_has_no_such_subresource(store: Store, namespace: str) -> None:
    created = store.create(config_map(namespace))
    with pytest.raises(NotFound):
        store.update_status(created)


def test_a_dry_run_of_a_status_write_changes_nothing(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    assert store.update_status({**first, "status": {"phase": "Idle"}}, dry_run=True)["status"] == {"phase": "Idle"}
    assert store.get(rollout_ref(namespace)) == first
