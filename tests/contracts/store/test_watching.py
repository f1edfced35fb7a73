"""Watches: in order, complete, by selector, and Gone when they ask for what is not kept."""

from __future__ import annotations

import json
import threading

import pytest

from sluice.api.kinds import ROLLOUT, WORKFLOW
from sluice.ports.errors import BadRequest, Gone
from sluice.ports.store import Selector, Store, WatchEvent
from tests.contracts.store.builders import rollout, rollout_ref, take, told, version_of, workflow, workflow_ref


def test_a_watch_begins_with_what_is_there_and_a_bookmark(store: Store, namespace: str) -> None:
    store.create(workflow(namespace, "b"))
    store.create(workflow(namespace, "a"))
    watch = store.watch(WORKFLOW, namespace)
    events = take(watch, 3)
    watch.close()
    assert [told(event)[0] for event in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert {told(event)[1] for event in events[:2]} == {"a", "b"}
    assert int(events[2].resource_version) >= version_of(store.get(workflow_ref(namespace, "a")))


def test_changes_come_in_order(store: Store, namespace: str) -> None:
    since = store.list(ROLLOUT, namespace).resource_version
    watch = store.watch(ROLLOUT, namespace, since=since)
    store.create(rollout(namespace, "a"))
    store.create(rollout(namespace, "b"))
    store.patch(rollout_ref(namespace, "a"), {"spec": {"percent": 50}})
    store.patch(rollout_ref(namespace, "b"), {"status": {"phase": "Idle"}}, status=True)
    store.delete(rollout_ref(namespace, "a"))
    events = take(watch, 5)
    watch.close()
    happened = [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("MODIFIED", "b"), ("DELETED", "a")]
    assert [told(event) for event in events] == happened
    versions = [int(event.resource_version) for event in events]
    assert versions == sorted(set(versions))
    assert [version_of(event.object) for event in events] == versions


def test_a_watch_goes_on_where_another_ended(store: Store, namespace: str) -> None:
    since = store.list(ROLLOUT, namespace).resource_version
    for name in "abc":
        store.create(rollout(namespace, name))
    first = store.watch(ROLLOUT, namespace, since=since)
    seen = take(first, 1)
    first.close()
    second = store.watch(ROLLOUT, namespace, since=seen[0].resource_version)
    assert [told(event) for event in take(second, 2)] == [("ADDED", "b"), ("ADDED", "c")]
    second.close()


def test_a_deletion_shows_the_last_state_at_a_newer_version(store: Store, namespace: str) -> None:
    created = store.create(rollout(namespace))
    watch = store.watch(ROLLOUT, namespace, since=created["metadata"]["resourceVersion"])
    store.delete(rollout_ref(namespace))
    (event,) = take(watch, 1)
    watch.close()
    assert event.type == "DELETED"
    assert event.object["spec"] == created["spec"]
    assert version_of(event.object) > version_of(created)


def test_a_watch_sees_its_kind_and_namespace_only(store: Store, namespace: str) -> None:
    since = store.list(ROLLOUT, namespace).resource_version
    watch = store.watch(ROLLOUT, namespace, since=since)
    store.create(workflow(namespace, "other-kind"))
    store.create(rollout("default", f"elsewhere-{namespace}"))
    store.create(rollout(namespace, "mine"))
    assert told(take(watch, 1)[0]) == ("ADDED", "mine")
    watch.close()
    store.delete(rollout_ref("default", f"elsewhere-{namespace}"))


def test_what_stops_matching_is_deleted_and_what_starts_is_added(store: Store, namespace: str) -> None:
    since = store.create(rollout(namespace, labels={"on": "yes"}))["metadata"]["resourceVersion"]
    watch = store.watch(ROLLOUT, namespace, Selector(labels="on=yes"), since=since)
    off = store.patch(rollout_ref(namespace), {"metadata": {"labels": {"on": "no"}}})
    store.patch(rollout_ref(namespace), {"spec": {"percent": 1}})
    store.patch(rollout_ref(namespace), {"metadata": {"labels": {"on": "yes"}}})
    store.delete(rollout_ref(namespace))
    events = take(watch, 3)
    watch.close()
    assert [event.type for event in events] == ["DELETED", "ADDED", "DELETED"]
    assert events[0].object["metadata"]["labels"] == {"on": "yes"}
    assert events[0].resource_version == off["metadata"]["resourceVersion"]


def test_a_write_of_nothing_is_no_event(store: Store, namespace: str) -> None:
    created = store.create(rollout(namespace))
    watch = store.watch(ROLLOUT, namespace, since=created["metadata"]["resourceVersion"])
    store.update(created)
    store.patch(rollout_ref(namespace), {"spec": {"percent": 50}})
    assert take(watch, 1)[0].object["spec"]["percent"] == 50
    watch.close()


def test_closing_ends_the_iteration(store: Store, namespace: str) -> None:
    watch = store.watch(WORKFLOW, namespace)
    events: list[WatchEvent] = []
    began = threading.Event()

    def follow() -> None:
        for event in watch:
            events.append(event)
            began.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert began.wait(30)
    watch.close()
    watch.close()
    thread.join(30)
    assert not thread.is_alive()
    assert [event.type for event in events] == ["BOOKMARK"]


def test_an_expired_watch_is_gone(store: Store, namespace: str) -> None:
    with pytest.raises(Gone, match="too old resource version"):
        take(store.watch(ROLLOUT, namespace, since="1"), 1)


def test_a_resource_version_that_is_no_number_is_a_bad_request(store: Store, namespace: str) -> None:
    with pytest.raises(BadRequest):
        take(store.watch(ROLLOUT, namespace, since="yesterday"), 1)


def test_raw_is_the_object_encoded(store: Store, namespace: str) -> None:
    created = store.create(rollout(namespace))
    watch = store.watch(ROLLOUT, namespace)
    (event,) = take(watch, 1)
    watch.close()
    assert event.object == created
    assert not event.raw or json.loads(event.raw) == created
