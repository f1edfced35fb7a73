"""Creating: what the store adds, what it drops, what it refuses."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from sluice.api.kinds import WORKFLOW
from sluice.ports.errors import AlreadyExists, BadRequest, Invalid, NotFound, PortError, TooLarge
from sluice.ports.store import Ref, Store
from tests.contracts.store.builders import config_map, workflow, workflow_ref


def test_the_store_sets_what_only_it_may_say(store: Store, namespace: str) -> None:
    given = workflow(namespace, uid="mine", generation=7, creationTimestamp="2001-01-01T00:00:00Z")
    metadata = store.create(given)["metadata"]
    assert str(uuid.UUID(metadata["uid"])) == metadata["uid"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert metadata["creationTimestamp"] != "2001-01-01T00:00:00Z"
    assert metadata["generation"] == 1
    assert metadata["resourceVersion"].isdecimal()


def test_what_comes_back_is_what_is_stored(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace, labels={"a": "b"}))
    assert store.get(workflow_ref(namespace)) == created


def test_creating_twice_is_already_exists(store: Store, namespace: str) -> None:
    store.create(workflow(namespace))
    with pytest.raises(AlreadyExists, match=r'^workflows\.sluice\.dev "support" already exists$'):
        store.create(workflow(namespace))


def test_the_same_name_is_free_in_another_kind(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, "same"))
    assert store.create(config_map(namespace, "same"))["metadata"]["name"] == "same"


def test_status_is_dropped_on_create(store: Store, namespace: str) -> None:
    created = store.create({**workflow(namespace), "status": {"phase": "Deployed"}})
    assert "status" not in created
    assert "status" not in store.get(workflow_ref(namespace))


def test_what_comes_back_is_a_copy(store: Store, namespace: str) -> None:
    given = workflow(namespace)
    created = store.create(given)
    created["spec"]["owner"] = "eve@example.com"
    given["spec"]["owner"] = "mallory@example.com"
    read = store.get(workflow_ref(namespace))
    read["spec"]["tags"].append("changed")
    assert store.get(workflow_ref(namespace))["spec"]["owner"] == "ana@example.com"
    assert store.get(workflow_ref(namespace))["spec"]["tags"] == ["tickets"]


def test_a_generated_name_begins_with_the_prefix_and_is_new_each_time(store: Store, namespace: str) -> None:
    given = workflow(namespace)
    given["metadata"] = {"namespace": namespace, "generateName": "run-"}
    names = {store.create(given)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(re.fullmatch(r"run-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


def test_neither_name_nor_prefix_is_invalid(store: Store, namespace: str) -> None:
    given = workflow(namespace)
    del given["metadata"]["name"]
    with pytest.raises(Invalid, match="name or generateName is required"):
        store.create(given)


def test_a_resource_version_on_create_is_refused(store: Store, namespace: str) -> None:
    with pytest.raises(PortError, match="resourceVersion should not be set"):
        store.create(workflow(namespace, resourceVersion="1"))


def test_a_missing_namespace_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match=r'^namespaces "nowhere" not found$'):
        store.create(workflow("nowhere"))


@pytest.mark.parametrize("name", ["Support", "a_b", "-a", "a-", "a..b", "ü", "a" * 254, "a/b"])
def test_a_name_that_is_no_subdomain_is_invalid(store: Store, namespace: str, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        store.create(config_map(namespace, name))
    assert caught.value.causes[0].field == "metadata.name"


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"labels": {"a b": "c"}}, "metadata.labels"),
        ({"labels": {"a": "-"}}, "metadata.labels"),
        ({"labels": {"a": "x" * 64}}, "metadata.labels"),
        ({"labels": {"Upper.prefix/a": "b"}}, "metadata.labels"),
        ({"annotations": {"": "b"}}, "metadata.annotations"),
        ({"annotations": {"a": "x" * 300_000}}, "metadata.annotations"),
        ({"finalizers": ["no good"]}, "metadata.finalizers"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a"}]},
            "metadata.ownerReferences.uid",
        ),
    ],
)
def test_metadata_that_breaks_a_rule_is_invalid_and_says_where(
    store: Store, namespace: str, metadata: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        store.create(workflow(namespace, **metadata))
    assert caught.value.causes[0].field == field


def test_a_label_that_is_a_number_is_a_bad_request(store: Store, namespace: str) -> None:
    with pytest.raises(BadRequest, match="labels"):
        store.create(workflow(namespace, labels={"a": 1}))


def test_an_object_that_is_too_large_is_refused(store: Store, namespace: str) -> None:
    with pytest.raises(TooLarge):
        store.create(config_map(namespace, "big", text="x" * 3_200_000))
    with pytest.raises(NotFound):
        store.get(workflow_ref(namespace, "big"))


def test_a_dry_run_answers_and_stores_nothing(store: Store, namespace: str) -> None:
    tried = store.create(workflow(namespace), dry_run=True)
    assert tried["spec"]["owner"] == "ana@example.com"
    assert store.list(WORKFLOW, namespace).items == []
    store.create(workflow(namespace))
    with pytest.raises(AlreadyExists):
        store.create(workflow(namespace), dry_run=True)


def test_what_is_not_there_is_not_found(store: Store, namespace: str) -> None:
    with pytest.raises(NotFound, match=r'^workflows\.sluice\.dev "nothing" not found$'):
        store.get(Ref(WORKFLOW, namespace, "nothing"))
