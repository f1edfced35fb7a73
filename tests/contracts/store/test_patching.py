"""Merge patches and JSON patches."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.ports.errors import BadRequest, Conflict, Invalid, NotFound
from sluice.ports.store import Store
from tests.contracts.store.builders import rollout, rollout_ref, workflow, workflow_ref


def test_a_merge_patch_changes_only_what_it_names(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, labels={"a": "1", "b": "2"}))
    patch = {"metadata": {"labels": {"a": None, "c": "3"}}, "spec": {"team": "support"}}
    patched = store.patch(workflow_ref(namespace), patch)
    assert patched["metadata"]["labels"] == {"b": "2", "c": "3"}
    assert patched["spec"]["team"] == "support"
    assert patched["spec"]["tags"] == ["tickets"]
    assert patched["metadata"]["generation"] == 2


def test_a_merge_patch_replaces_lists(store: Store, namespace: str) -> None:
    store.create(workflow(namespace))
    assert store.patch(workflow_ref(namespace), {"spec": {"tags": ["b"]}})["spec"]["tags"] == ["b"]


def test_a_patch_of_nothing_moves_nothing(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    assert store.patch(rollout_ref(namespace), {"spec": {"percent": 25}}) == first
    assert store.patch(rollout_ref(namespace), [], type="json") == first


def test_a_resource_version_makes_a_merge_patch_conditional(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    condition = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}}
    store.patch(rollout_ref(namespace), {**condition, "spec": {"percent": 50}})
    with pytest.raises(Conflict, match="the object has been modified"):
        store.patch(rollout_ref(namespace), {**condition, "spec": {"percent": 75}})


def test_a_json_patch_carries_out_its_operations_in_order(store: Store, namespace: str) -> None:
    store.create(workflow(namespace))
    operations = [
        {"op": "test", "path": "/spec/owner", "value": "ana@example.com"},
        {"op": "add", "path": "/spec/tags/-", "value": "urgent"},
        {"op": "replace", "path": "/spec/tags/0", "value": "mail"},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
    ]
    patched = store.patch(workflow_ref(namespace), operations, type="json")
    assert patched["spec"]["tags"] == ["mail", "urgent"]
    assert patched["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "test", "path": "/spec/percent", "value": 1}],
        [{"op": "remove", "path": "/spec/nothing"}],
        [{"op": "replace", "path": "/spec/a/b", "value": 1}],
    ],
)
def test_a_json_patch_that_does_not_fit_is_invalid_and_changes_nothing(
    store: Store, namespace: str, operations: list[dict[str, Any]]
) -> None:
    first = store.create(rollout(namespace))
    with pytest.raises(Invalid):
        store.patch(
            rollout_ref(namespace), [{"op": "add", "path": "/spec/percent", "value": 2}, *operations], type="json"
        )
    assert store.get(rollout_ref(namespace)) == first


@pytest.mark.parametrize("patch", ["text", [{"spec": {}}], 7])
def test_a_merge_patch_that_is_no_map_is_a_bad_request(store: Store, namespace: str, patch: Any) -> None:
    store.create(rollout(namespace))
    with pytest.raises(BadRequest):
        store.patch(rollout_ref(namespace), patch)


@pytest.mark.parametrize("patch", [{"op": "add"}, [{"op": "jump", "path": "/a"}], ["add"]])
def test_a_json_patch_that_is_none_is_refused(store: Store, namespace: str, patch: Any) -> None:
    store.create(rollout(namespace))
    with pytest.raises((BadRequest, Invalid)):
        store.patch(rollout_ref(namespace), patch, type="json")


@pytest.mark.parametrize(
    "patch", [{"metadata": {"name": "other"}}, {"metadata": {"namespace": "other"}}, {"kind": "Workflow"}]
)
def test_a_patch_can_not_make_another_object_of_it(store: Store, namespace: str, patch: dict[str, Any]) -> None:
    store.create(rollout(namespace))
    with pytest.raises((BadRequest, Invalid)):
        store.patch(rollout_ref(namespace), patch)


def test_patching_what_is_not_there_is_not_found(store: Store, namespace: str) -> None:
    with pytest.raises(NotFound):
        store.patch(rollout_ref(namespace), {"spec": {"percent": 1}})


def test_a_dry_run_of_a_patch_changes_nothing(store: Store, namespace: str) -> None:
    first = store.create(rollout(namespace))
    assert store.patch(rollout_ref(namespace), {"spec": {"percent": 1}}, dry_run=True)["spec"]["percent"] == 1
    assert store.get(rollout_ref(namespace)) == first
