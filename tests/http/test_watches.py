"""Watches over a real connection."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.api.kinds import NAMESPACE, WORKFLOW
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.server import RouteGroup, Running
from sluice.ports.store import Ref
from tests.http.places import METADATA, NAMESPACES, TABLE, WORKFLOWS
from tests.http.schemas import catalog, namespace, workflow
from tests.http.streams import told, watching


class PortOnly:
    """A store that offers what the port says and no more: the server then watches it on threads."""

    def __init__(self, store: SqliteStore) -> None:
        self.get = store.get
        self.list = store.list
        self.watch = store.watch


@pytest.fixture(params=["push", "threads"])
def group(request: pytest.FixtureRequest, store: SqliteStore, access: Access) -> RouteGroup:
    # One change before the server starts, so that there is a version that it no longer knows.
    store.create(namespace("before"))
    store.delete(Ref(NAMESPACE, "", "before"))
    served: Any = store if request.param == "push" else PortOnly(store)
    return kubernetes_group(served, catalog(), access=access, acting_as=store.acting_as)


def relabel(store: SqliteStore, name: str, **labels: str | None) -> None:
    store.patch(Ref(WORKFLOW, "default", name), {"metadata": {"labels": labels}})


def test_what_is_there_comes_first_and_changes_follow_in_order(server: Running, store: SqliteStore) -> None:
    store.create(workflow("alpha"))

    with watching(server) as events:
        assert told(next(events)) == ("ADDED", "alpha")
        store.create(workflow("beta"))
        store.patch(Ref(WORKFLOW, "default", "beta"), {"spec": {"owner": "bob"}})
        store.delete(Ref(WORKFLOW, "default", "alpha"))
        assert list(map(told, islice(events, 3))) == [("ADDED", "beta"), ("MODIFIED", "beta"), ("DELETED", "alpha")]


def test_a_watch_goes_on_after_a_version(server: Running, store: SqliteStore) -> None:
    with watching(server) as first:
        version = store.create(workflow("alpha"))["metadata"]["resourceVersion"]
        store.create(workflow("beta"))
        assert [told(event)[1] for event in islice(first, 2)] == ["alpha", "beta"]

    with watching(server, resourceVersion=version) as events:
        assert told(next(events)) == ("ADDED", "beta")


def test_a_version_from_before_the_start_is_expired_and_one_to_come_too_large(
    server: Running, store: SqliteStore
) -> None:
    with watching(server, resourceVersion="999") as events:
        assert next(events)["object"]["code"] == 504
    with watching(server, NAMESPACES, resourceVersion="1") as events:
        assert next(events)["object"]["code"] == 410


def test_version_zero_begins_with_what_is_there(server: Running, store: SqliteStore) -> None:
    store.create(workflow("alpha"))

    with watching(server, resourceVersion="0") as events:
        assert told(next(events)) == ("ADDED", "alpha")


def test_other_namespaces_and_kinds_are_not_told(server: Running, store: SqliteStore) -> None:
    with watching(server) as events:
        store.create(namespace("other"))
        store.create(workflow("hidden", namespace="other"))
        store.create(workflow("shown"))
        assert told(next(events)) == ("ADDED", "shown")


def test_a_selector_turns_changes_into_comings_and_goings(server: Running, store: SqliteStore) -> None:
    store.create(workflow("alpha"))

    with watching(server, labelSelector="team=a") as events:
        relabel(store, "alpha", team="a")
        relabel(store, "alpha", team="a", more="x")
        relabel(store, "alpha", team="b")
        relabel(store, "alpha", team="c")
        relabel(store, "alpha", team="a")
        store.delete(Ref(WORKFLOW, "default", "alpha"))
        seen = list(islice(events, 5))

    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]
    assert seen[2]["object"]["metadata"]["labels"]["team"] == "a"
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("path", [WORKFLOWS, f"{WORKFLOWS}/beta"])
def test_one_object_can_be_watched_by_field_or_by_path(server: Running, store: SqliteStore, path: str) -> None:
    parameters = {} if path.endswith("beta") else {"fieldSelector": "metadata.name=beta"}

    with watching(server, path, **parameters) as events:
        store.create(workflow("alpha"))
        store.create(workflow("beta"))
        assert told(next(events)) == ("ADDED", "beta")


def test_a_field_that_can_not_be_selected_is_refused(server: Running) -> None:
    with watching(server, fieldSelector="spec.owner=x") as events:
        assert next(events)["object"]["code"] == 400


def test_a_watch_list_marks_the_end_of_what_was_there(server: Running, store: SqliteStore) -> None:
    store.create(workflow("alpha"))
    wish = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}

    with watching(server, **wish) as events:
        first, mark = islice(events, 2)
        store.create(workflow("beta"))
        assert told(next(events)) == ("ADDED", "beta")

    assert told(first) == ("ADDED", "alpha")
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["kind"] == "Workflow"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["object"]["metadata"]["resourceVersion"] == first["object"]["metadata"]["resourceVersion"]


def test_only_the_first_table_has_columns(server: Running, store: SqliteStore) -> None:
    with watching(server, accept=TABLE) as one, watching(server, accept=TABLE) as other:
        for name in ("alpha", "beta"):
            store.create(workflow(name))
        for events in (one, other):
            first, second = islice(events, 2)
            assert [column["name"] for column in first["object"]["columnDefinitions"]][:2] == ["Name", "Phase"]
            assert second["object"]["columnDefinitions"] is None
            assert [row["cells"][0] for row in second["object"]["rows"]] == ["beta"]


def test_metadata_alone_can_be_watched(server: Running, store: SqliteStore) -> None:
    with watching(server, accept=METADATA) as events:
        store.create(workflow("alpha"))
        obj = next(events)["object"]

    assert (obj["kind"], "spec" in obj) == ("PartialObjectMetadata", False)


def test_a_watch_ends_at_its_time_with_a_last_bookmark(server: Running, store: SqliteStore) -> None:
    store.create(workflow("alpha"))

    with watching(server, timeoutSeconds="1", allowWatchBookmarks="true") as events:
        seen = list(events)

    assert [event["type"] for event in seen] == ["ADDED", "BOOKMARK"]
    versions = [event["object"]["metadata"]["resourceVersion"] for event in seen]
    assert versions[0] == versions[1]


def test_kinds_without_namespaces_can_be_watched(server: Running, store: SqliteStore) -> None:
    with watching(server, NAMESPACES) as events:
        assert told(next(events)) == ("ADDED", "default")
        store.create(namespace("team"))
        store.delete(Ref(NAMESPACE, "", "team"))
        seen = [next(events) for _ in range(3)]

    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[1]["object"]["status"]["phase"] == "Terminating"


def test_many_watches_all_see_everything(server: Running, store: SqliteStore) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        streams: list[Any] = [stack.enter_context(watching(server)) for _ in range(22)]
        for number in range(10):
            store.create(workflow(f"w{number:02}"))
        for events in streams:
            assert [told(event)[1] for event in islice(events, 10)] == [f"w{number:02}" for number in range(10)]


def test_stopping_the_server_ends_watches_cleanly(server: Running, store: SqliteStore) -> None:
    with watching(server) as events:
        store.create(workflow("alpha"))
        next(events)
        server.stop()
        assert list(events) == []
