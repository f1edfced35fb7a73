"""Namespaces: they must exist, and take everything in them along."""

from __future__ import annotations

import pytest

from sluice.api.kinds import NAMESPACE, ROLLOUT, WORKFLOW
from sluice.ports.errors import Forbidden, NotFound, Terminating
from sluice.ports.store import Ref, Store
from tests.contracts.store.builders import (
    eventually,
    exists,
    namespace_manifest,
    rollout,
    rollout_ref,
    workflow,
    workflow_ref,
)


def test_the_default_namespace_is_there(store: Store) -> None:
    default = store.get(Ref(NAMESPACE, "", "default"))
    assert default["status"]["phase"] == "Active"
    assert default["metadata"]["labels"]["kubernetes.io/metadata.name"] == "default"
    with pytest.raises(Forbidden):
        store.delete(Ref(NAMESPACE, "", "default"))


def test_deleting_a_namespace_deletes_its_objects(store: Store, namespace: str) -> None:
    name = f"{namespace}-gone"
    store.create(namespace_manifest(name))
    store.create(workflow(name))
    store.create(rollout(name, "a"))
    store.create(workflow(namespace))
    store.delete(Ref(NAMESPACE, "", name))
    eventually(lambda: not exists(store, Ref(NAMESPACE, "", name)), "the namespace is gone")
    assert store.list(WORKFLOW, name).items == []
    assert store.list(ROLLOUT, name).items == []
    assert exists(store, workflow_ref(namespace))
    with pytest.raises(NotFound):
        store.create(workflow(name))


def test_nothing_is_created_in_a_namespace_that_is_being_emptied(store: Store, namespace: str) -> None:
    name = f"{namespace}-held"
    store.create(namespace_manifest(name))
    store.create(rollout(name, finalizers=["sluice.dev/hold"]))
    store.delete(Ref(NAMESPACE, "", name))
    assert store.get(Ref(NAMESPACE, "", name))["status"]["phase"] == "Terminating"
    with pytest.raises(Terminating, match="because it is being terminated"):
        store.create(workflow(name))
    eventually(lambda: "deletionTimestamp" in store.get(rollout_ref(name))["metadata"], "the content is marked")
    store.patch(rollout_ref(name), {"metadata": {"finalizers": None}})
    eventually(lambda: not exists(store, Ref(NAMESPACE, "", name)), "the namespace follows its content")
