"""Owner references: what an owner takes along, in the background, in the foreground, or not at all."""

from __future__ import annotations

import pytest

from sluice.ports.store import Store
from tests.contracts.store.builders import (
    config_map,
    eventually,
    exists,
    owned_by,
    rollout,
    rollout_ref,
    workflow,
    workflow_ref,
)

FINALIZER = "sluice.dev/hold"


def test_dependents_go_with_their_owner_in_the_background(store: Store, namespace: str) -> None:
    owner = store.create(workflow(namespace))
    store.create(rollout(namespace, "one", **owned_by(owner)))
    store.create(rollout(namespace, "two", **owned_by(owner)))
    store.create(rollout(namespace, "alone"))
    store.delete(workflow_ref(namespace))
    assert not exists(store, workflow_ref(namespace))
    eventually(lambda: not exists(store, rollout_ref(namespace, "one")), "one is collected")
    eventually(lambda: not exists(store, rollout_ref(namespace, "two")), "two is collected")
    assert exists(store, rollout_ref(namespace, "alone"))


def test_a_cascade_goes_all_the_way_down(store: Store, namespace: str) -> None:
    top = store.create(workflow(namespace, "top"))
    middle = store.create(workflow(namespace, "middle", **owned_by(top)))
    store.create(rollout(namespace, "bottom", **owned_by(middle)))
    store.delete(workflow_ref(namespace, "top"))
    eventually(lambda: not exists(store, rollout_ref(namespace, "bottom")), "the bottom is collected")
    assert not exists(store, workflow_ref(namespace, "middle"))


def test_a_dependent_with_a_finalizer_is_only_marked(store: Store, namespace: str) -> None:
    owner = store.create(workflow(namespace))
    store.create(rollout(namespace, finalizers=[FINALIZER], **owned_by(owner)))
    store.delete(workflow_ref(namespace))
    eventually(lambda: "deletionTimestamp" in store.get(rollout_ref(namespace))["metadata"], "the dependent is marked")
    store.patch(rollout_ref(namespace), {"metadata": {"finalizers": None}})
    assert not exists(store, rollout_ref(namespace))


def test_an_owner_whose_finalizer_holds_keeps_its_dependents(store: Store, namespace: str) -> None:
    owner = store.create(workflow(namespace, finalizers=[FINALIZER]))
    store.create(rollout(namespace, **owned_by(owner)))
    store.delete(workflow_ref(namespace))
    other = store.create(workflow(namespace, "other"))
    store.create(rollout(namespace, "witness", **owned_by(other)))
    store.delete(workflow_ref(namespace, "other"))
    eventually(lambda: not exists(store, rollout_ref(namespace, "witness")), "a later cascade is through")
    assert exists(store, rollout_ref(namespace))
    store.patch(workflow_ref(namespace), {"metadata": {"finalizers": None}})
    eventually(lambda: not exists(store, rollout_ref(namespace)), "the dependent is collected")


def test_one_of_two_owners_is_enough_to_stay(store: Store, namespace: str) -> None:
    first, second = (store.create(workflow(namespace, name)) for name in ("first", "second"))
    references = owned_by(first)["ownerReferences"] + owned_by(second)["ownerReferences"]
    store.create(rollout(namespace, ownerReferences=references))
    store.delete(workflow_ref(namespace, "first"))

    def only_second() -> bool:
        return store.get(rollout_ref(namespace))["metadata"]["ownerReferences"] == owned_by(second)["ownerReferences"]

    eventually(only_second, "the reference to the first is dropped")
    store.delete(workflow_ref(namespace, "second"))
    eventually(lambda: not exists(store, rollout_ref(namespace)), "without any owner it is collected")


def test_in_the_foreground_the_owner_goes_last(store: Store, namespace: str) -> None:
    owner = store.create(workflow(namespace))
    store.create(rollout(namespace, finalizers=[FINALIZER], **owned_by(owner, blocking=True)))
    marked = store.delete(workflow_ref(namespace), propagation="Foreground")
    assert "foregroundDeletion" in marked["metadata"]["finalizers"]
    eventually(lambda: "deletionTimestamp" in store.get(rollout_ref(namespace))["metadata"], "the dependent is marked")
    assert exists(store, workflow_ref(namespace))
    store.patch(rollout_ref(namespace), {"metadata": {"finalizers": None}})
    eventually(lambda: not exists(store, workflow_ref(namespace)), "the owner goes after its dependent")


def test_a_later_word_on_dependents_replaces_the_former(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, finalizers=[FINALIZER]))
    marked = store.delete(workflow_ref(namespace), propagation="Foreground")
    assert set(marked["metadata"]["finalizers"]) == {FINALIZER, "foregroundDeletion"}
    again = store.delete(workflow_ref(namespace), propagation="Background")
    assert again["metadata"]["finalizers"] == [FINALIZER]
    store.patch(workflow_ref(namespace), {"metadata": {"finalizers": None}})
    assert not exists(store, workflow_ref(namespace))


def test_in_the_foreground_without_dependents_the_owner_just_goes(store: Store, namespace: str) -> None:
    store.create(workflow(namespace))
    store.delete(workflow_ref(namespace), propagation="Foreground")
    eventually(lambda: not exists(store, workflow_ref(namespace)), "the owner is removed")


def test_orphans_stay_and_forget_their_owner(store: Store, namespace: str) -> None:
    owner = store.create(workflow(namespace))
    store.create(rollout(namespace, **owned_by(owner)))
    store.delete(workflow_ref(namespace), propagation="Orphan")
    eventually(lambda: not exists(store, workflow_ref(namespace)), "the owner is removed")
    assert "ownerReferences" not in store.get(rollout_ref(namespace))["metadata"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_owner_that_is_not_there_collects_the_newcomer(store: Store, namespace: str, elsewhere: bool) -> None:
    if elsewhere:  # an owner reference never crosses namespaces
        owner = store.create(config_map("default", f"owner-of-{namespace}"))
    else:
        owner = store.create(workflow(namespace))
        store.delete(workflow_ref(namespace))
    store.create(rollout(namespace, **owned_by(owner)))
    eventually(lambda: not exists(store, rollout_ref(namespace)), "the dependent of nobody is collected")
