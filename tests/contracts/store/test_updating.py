"""Updating: conflicts, generation, what can't be changed, and that a change of nothing moves nothing."""

from __future__ import annotations

import pytest

from sluice.ports.errors import BadRequest, Conflict, Invalid, NotFound
from sluice.ports.store import Store
from tests.contracts.store.builders import config_map, rollout, rollout_ref, version_of, workflow, workflow_ref

STALE = (
    r'^Operation cannot be fulfilled on workflows\.sluice\.dev "support": the object has been modified; '
    r"please apply your changes to the latest version and try again$"
)


def test_a_stale_write_is_a_conflict(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    store.update({**first, "spec": {**first["spec"], "team": "support"}})
    with pytest.raises(Conflict, match=STALE):
        store.update({**first, "spec": {**first["spec"], "team": "sales"}})
    assert store.get(workflow_ref(namespace))["spec"]["team"] == "support"


def test_a_spec_write_raises_generation_and_the_version(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    second = store.update({**first, "spec": {**first["spec"], "team": "support"}})
    assert second["metadata"]["generation"] == 2
    assert version_of(second) > version_of(first)
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["metadata"]["creationTimestamp"] == first["metadata"]["creationTimestamp"]


def test_a_metadata_write_keeps_generation(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    first["metadata"]["labels"] = {"team": "support"}
    second = store.update(first)
    assert second["metadata"]["generation"] == 1
    assert second["metadata"]["labels"] == {"team": "support"}


def test_a_spec_write_ignores_status(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    first["status"] = {"phase": "Idle"}
    second = store.update_status(first)
    second["status"] = {"phase": "Completed"}
    second["spec"]["percent"] = 50
    third = store.update(second)
    assert third["status"] == {"phase": "Idle"}
    del third["status"]
    assert store.update(third)["status"] == {"phase": "Idle"}


def test_a_write_of_nothing_moves_nothing(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    assert store.update(first) == first
    assert store.get(workflow_ref(namespace)) == first


def test_an_update_replaces_what_is_left_out(store: Store, namespace: str) -> None:
    first = store.create(config_map(namespace, a="1", b="2"))
    first["data"] = {"a": "1"}
    first["metadata"].pop("labels", None)
    assert store.update(first)["data"] == {"a": "1"}


def test_updating_what_is_not_there_is_not_found(store: Store, namespace: str) -> None:
    with pytest.raises(NotFound):
        store.update(workflow(namespace, resourceVersion="1"))


def test_another_uid_is_a_conflict(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    first["metadata"]["uid"] = "11111111-2222-4333-8444-555555555555"
    with pytest.raises(Conflict, match="UID in precondition"):
        store.update(first)


def test_the_time_of_creation_stays(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    changed = {**first, "metadata": {**first["metadata"], "creationTimestamp": "2001-01-01T00:00:00Z"}}
    assert store.update(changed) == first


def test_a_dry_run_answers_and_changes_nothing(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    tried = store.update({**first, "spec": {**first["spec"], "percent": 50}}, dry_run=True)
    assert tried["spec"]["percent"] == 50
    assert tried["metadata"]["generation"] == 2
    assert store.get(rollout_ref(namespace)) == first


def test_a_broken_label_is_refused_on_update_too(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    first["metadata"]["labels"] = {"a": "not a value"}
    with pytest.raises(Invalid, match=r"metadata\.labels"):
        store.update(first)


def test_what_has_no_name_or_no_known_kind_is_a_bad_request(store: Store, namespace: str) -> None:
    with pytest.raises(BadRequest, match='no matches for kind "Nothing"'):
        store.update({**workflow(namespace), "kind": "Nothing"})
