"""Server-side apply: who owns which field, who is asked, what goes away."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.ports.errors import BadRequest, Conflict, FieldConflict, Invalid, PortError
from sluice.ports.store import Obj, Store
from tests.contracts.store.builders import config_map, rollout, rollout_ref, workflow, workflow_ref


def wanted(namespace: str, **spec: Any) -> Obj:
    """What a manager wants of a workflow: nothing but the fields it names."""
    return {**workflow(namespace), "spec": spec}


def percent(namespace: str, value: int) -> Obj:
    return rollout(namespace, percent=value)


def entries(obj: Obj) -> dict[tuple[str, str, str], Any]:
    """Field ownership by manager, operation and subresource."""
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in obj["metadata"]["managedFields"]
    }


def test_applying_creates_what_is_not_there(store: Store, namespace: str) -> None:
    applied = store.apply(percent(namespace, 10), manager="git")
    assert applied["metadata"]["generation"] == 1
    assert applied["spec"]["percent"] == 10
    assert entries(applied) == {("git", "Apply", ""): {"f:spec": {"f:percent": {}}}}


def test_applying_twice_moves_nothing(store: Store, namespace: str) -> None:
    first = store.apply(percent(namespace, 10), manager="git")
    assert store.apply(percent(namespace, 10), manager="git") == first


def test_another_managers_value_is_a_conflict_that_names_it(store: Store, namespace: str) -> None:
    store.apply(percent(namespace, 10), manager="git")
    with pytest.raises(Conflict) as caught:
        store.apply(percent(namespace, 50), manager="ana")
    assert caught.value.fields == (FieldConflict("git", ".spec.percent"),)
    assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "git": .spec.percent'
    assert store.get(rollout_ref(namespace))["spec"]["percent"] == 10


def test_force_takes_over(store: Store, namespace: str) -> None:
    store.apply(percent(namespace, 10), manager="git")
    forced = store.apply(percent(namespace, 50), manager="ana", force=True)
    assert forced["spec"]["percent"] == 50
    assert entries(forced) == {("ana", "Apply", ""): {"f:spec": {"f:percent": {}}}}


def test_the_same_value_is_shared(store: Store, namespace: str) -> None:
    store.apply(percent(namespace, 10), manager="git")
    shared = store.apply(percent(namespace, 10), manager="ana")
    assert set(entries(shared)) == {("git", "Apply", ""), ("ana", "Apply", "")}


def test_a_field_left_out_is_removed_unless_shared(store: Store, namespace: str) -> None:
    store.apply({**rollout(namespace), "spec": {"percent": 10, "holds": {"v7": {}, "v8": {}}}}, manager="git")
    store.apply({**rollout(namespace), "spec": {"holds": {"v8": {}}}}, manager="ana")
    left = store.apply(percent(namespace, 10), manager="git")
    assert left["spec"]["holds"] == {"v8": {}}
    assert left["spec"]["percent"] == 10


def test_a_field_that_a_plain_write_changed_belongs_to_the_writer(store: Store, namespace: str) -> None:
    store.apply(percent(namespace, 10), manager="git")
    store.patch(rollout_ref(namespace), {"spec": {"percent": 30}}, manager="kubectl")
    with pytest.raises(Conflict, match=r'conflict with "kubectl" using sluice.dev/v1alpha1: \.spec\.percent'):
        store.apply(percent(namespace, 10), manager="git")


def test_several_conflicts_are_told_by_manager(store: Store, namespace: str) -> None:
    store.create(workflow(namespace), manager="ana")
    with pytest.raises(Conflict) as caught:
        store.apply(wanted(namespace, owner="bob@example.com", tags=["other"]), manager="git")
    assert str(caught.value) == (
        'Apply failed with 2 conflicts: conflicts with "ana" using sluice.dev/v1alpha1:\n- .spec.owner\n- .spec.tags'
    )


def test_managers_of_different_entries_of_a_map_live_side_by_side(store: Store, namespace: str) -> None:
    store.apply(config_map(namespace, a="1"), manager="one")
    both = store.apply(config_map(namespace, b="2"), manager="two")
    assert both["data"] == {"a": "1", "b": "2"}
    left = store.apply(config_map(namespace), manager="one")
    assert left["data"] == {"b": "2"}


def test_steps_merge_by_name(store: Store, namespace: str) -> None:
    store.create(workflow(namespace), manager="ana")
    step = {"name": "second", "needs": ["hello"], "action": {"python": {"code": "output = 2"}}}
    applied = store.apply(wanted(namespace, definition={"steps": [step]}), manager="git")
    assert [one["name"] for one in applied["spec"]["definition"]["steps"]] == ["hello", "second"]
    changed = {**step, "name": "hello", "needs": []}
    with pytest.raises(Conflict) as caught:
        store.apply(wanted(namespace, definition={"steps": [step, changed]}), manager="git")
    assert FieldConflict("ana", '.spec.definition.steps[name="hello"].action.python.code') in caught.value.fields


def test_labels_merge_and_metadata_without_labels_conflicts_with_nobody(store: Store, namespace: str) -> None:
    store.apply(rollout(namespace, labels={"a": "1"}), manager="git")
    both = store.apply(rollout(namespace, labels={"b": "2"}), manager="ana")
    assert both["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert entries(both)["ana", "Apply", ""]["f:metadata"] == {"f:labels": {"f:b": {}}}
    assert store.apply(rollout(namespace), manager="bob")["metadata"]["labels"] == {"a": "1", "b": "2"}


def test_the_last_label_goes_and_the_rest_of_the_metadata_stays(store: Store, namespace: str) -> None:
    before = store.apply(rollout(namespace, labels={"a": "1"}), manager="git")["metadata"]
    after = store.apply(rollout(namespace), manager="git")["metadata"]
    assert not after.get("labels")
    assert {key: after[key] for key in ("name", "namespace", "uid", "creationTimestamp")} == {
        key: before[key] for key in ("name", "namespace", "uid", "creationTimestamp")
    }


def test_status_is_applied_and_owned_apart(store: Store, namespace: str) -> None:
    store.apply(percent(namespace, 10), manager="git")
    status = {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "status": {"phase": "Idle"}}
    status["metadata"] = {"name": "support", "namespace": namespace}
    applied = store.apply(status, manager="controller", status=True)
    assert applied["status"]["phase"] == "Idle"
    assert applied["spec"]["percent"] == 10
    assert entries(applied)["controller", "Apply", "status"] == {"f:status": {"f:phase": {}}}
    assert applied["metadata"]["generation"] == 1


def test_plain_writers_are_recorded_with_what_they_changed(store: Store, namespace: str) -> None:
    store.create(rollout(namespace), manager="ana")
    store.patch(rollout_ref(namespace), {"metadata": {"labels": {"a": "b"}}}, manager="bob")
    store.patch(rollout_ref(namespace), {"status": {"phase": "Idle"}}, status=True, manager="controller")
    owned = entries(store.get(rollout_ref(namespace)))
    assert "f:percent" in owned["ana", "Update", ""]["f:spec"]
    assert owned["bob", "Update", ""] == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
    assert owned["controller", "Update", "status"] == {"f:status": {".": {}, "f:phase": {}}}


def test_a_dry_run_answers_and_stores_nothing(store: Store, namespace: str) -> None:
    first = store.apply(percent(namespace, 10), manager="git")
    assert store.apply(percent(namespace, 20), manager="git", dry_run=True)["spec"]["percent"] == 20
    assert store.get(rollout_ref(namespace)) == first


def test_a_stale_resource_version_is_a_conflict(store: Store, namespace: str) -> None:
    first = store.apply(percent(namespace, 10), manager="git")
    second = store.apply(percent(namespace, 20), manager="git")
    stale = rollout(namespace, percent=30, resourceVersion=first["metadata"]["resourceVersion"])
    with pytest.raises(Conflict, match="the object has been modified"):
        store.apply(stale, manager="git")
    assert store.get(rollout_ref(namespace)) == second


def test_ownership_moves_from_client_side_to_server_side_apply(store: Store, namespace: str) -> None:
    """kubectl rewrites managedFields by a JSON patch when somebody changes to ``--server-side``."""
    created = store.create(workflow(namespace), manager="kubectl-client-side-apply")
    moved = [{**created["metadata"]["managedFields"][0], "manager": "kubectl", "operation": "Apply"}]
    operations = [
        {"op": "replace", "path": "/metadata/managedFields", "value": moved},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": created["metadata"]["resourceVersion"]},
    ]
    store.patch(workflow_ref(namespace), operations, type="json")
    applied = store.apply(
        {**workflow(namespace), "spec": {**workflow(namespace)["spec"], "owner": "bob@example.com", "tags": ["x"]}},
        manager="kubectl",
    )
    assert set(entries(applied)) == {("kubectl", "Apply", "")}


def test_ownership_may_be_cleared_and_begins_again_with_an_apply(store: Store, namespace: str) -> None:
    store.create(rollout(namespace), manager="ana")
    cleared = store.patch(rollout_ref(namespace), {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in cleared["metadata"]
    assert "managedFields" not in store.patch(rollout_ref(namespace), {"spec": {"percent": 30}})["metadata"]
    with pytest.raises(Conflict, match='conflict with "before-first-apply"'):
        store.apply(percent(namespace, 40), manager="git")


def test_managed_fields_can_not_be_applied(store: Store, namespace: str) -> None:
    store.apply(percent(namespace, 10), manager="git")
    with pytest.raises(BadRequest, match=r"metadata\.managedFields must be nil"):
        store.apply(rollout(namespace, managedFields=[{"manager": "x"}]), manager="git")


def test_an_apply_without_a_manager_is_invalid(store: Store, namespace: str) -> None:
    with pytest.raises(Invalid, match="fieldManager: Required value"):
        store.apply(percent(namespace, 10), manager="")


def test_a_field_that_no_schema_knows_is_refused(store: Store, namespace: str) -> None:
    with pytest.raises(PortError, match=r"\.spec\.nothing: field not declared in schema"):
        store.apply({**rollout(namespace), "spec": {"nothing": 1}}, manager="git")
