"""Deleting: finalizers hold, preconditions bind, an answer shows the last state."""

from __future__ import annotations

import pytest

from sluice.ports.errors import Conflict, Invalid, NotFound
from sluice.ports.store import Store
from tests.contracts.store.builders import exists, workflow, workflow_ref

FINALIZER = "sluice.dev/hold"


def test_what_is_deleted_is_gone(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace))
    last = store.delete(workflow_ref(namespace))
    assert last["metadata"]["uid"] == created["metadata"]["uid"]
    assert not exists(store, workflow_ref(namespace))
    with pytest.raises(NotFound):
        store.delete(workflow_ref(namespace))


def test_a_finalizer_turns_deletion_into_a_mark(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace, finalizers=[FINALIZER]))
    marked = store.delete(workflow_ref(namespace))
    assert marked["metadata"]["deletionTimestamp"]
    assert marked["metadata"]["finalizers"] == [FINALIZER]
    assert marked["metadata"]["generation"] == created["metadata"]["generation"] + 1
    assert store.get(workflow_ref(namespace)) == marked


def test_deleting_again_what_is_marked_moves_nothing(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, finalizers=[FINALIZER]))
    marked = store.delete(workflow_ref(namespace))
    assert store.delete(workflow_ref(namespace)) == marked


def test_the_last_finalizer_gone_deletes(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, finalizers=[FINALIZER, "sluice.dev/other"]))
    marked = store.delete(workflow_ref(namespace))
    marked["metadata"]["finalizers"].remove(FINALIZER)
    marked = store.update(marked)
    assert exists(store, workflow_ref(namespace))
    marked["metadata"]["finalizers"] = []
    store.update(marked)
    assert not exists(store, workflow_ref(namespace))


def test_a_patch_that_removes_the_last_finalizer_deletes(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, finalizers=[FINALIZER]))
    store.delete(workflow_ref(namespace))
    store.patch(workflow_ref(namespace), {"metadata": {"finalizers": None}})
    assert not exists(store, workflow_ref(namespace))


def test_no_finalizer_is_added_while_deleting(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, finalizers=[FINALIZER]))
    marked = store.delete(workflow_ref(namespace))
    marked["metadata"]["finalizers"].append("sluice.dev/late")
    with pytest.raises(
        Invalid, match="Forbidden: no new finalizers can be added if the object is being deleted"
    ) as caught:
        store.update(marked)
    assert caught.value.causes[0].reason == "FieldValueForbidden"


def test_the_mark_can_not_be_taken_back(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, finalizers=[FINALIZER]))
    marked = store.delete(workflow_ref(namespace))
    without = {key: value for key, value in marked["metadata"].items() if not key.startswith("deletion")}
    assert store.update({**marked, "metadata": without})["metadata"]["deletionTimestamp"]


def test_another_uid_is_a_conflict(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace))
    with pytest.raises(Conflict, match=r"UID in the precondition .* does not match the UID in record"):
        store.delete(workflow_ref(namespace), uid="11111111-2222-4333-8444-555555555555")
    store.delete(workflow_ref(namespace), uid=created["metadata"]["uid"])
    assert not exists(store, workflow_ref(namespace))


def test_an_older_resource_version_is_a_conflict(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace))
    store.patch(workflow_ref(namespace), {"spec": {"team": "support"}})
    with pytest.raises(Conflict, match="ResourceVersion in the precondition"):
        store.delete(workflow_ref(namespace), resource_version=created["metadata"]["resourceVersion"])
    assert exists(store, workflow_ref(namespace))


def test_a_dry_run_deletes_nothing(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace))
    store.delete(workflow_ref(namespace), dry_run=True)
    assert store.get(workflow_ref(namespace)) == created


def test_a_name_is_free_again_and_the_new_object_is_another(store: Store, namespace: str) -> None:
    first = store.create(workflow(namespace))
    store.delete(workflow_ref(namespace))
    second = store.create(workflow(namespace))
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
