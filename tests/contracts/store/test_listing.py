"""Lists: order, selectors, pages of one moment."""

from __future__ import annotations

import pytest

from sluice.api.kinds import CONFIG_MAP, ROLLOUT, WORKFLOW, WORKFLOW_VERSION
from sluice.ports.errors import BadRequest
from sluice.ports.store import Selector, Store
from tests.contracts.store.builders import config_map, namespace_manifest, rollout, workflow, workflow_ref


def names(store: Store, namespace: str, labels: str = "", fields: str = "") -> list[str]:
    page = store.list(WORKFLOW, namespace, Selector(labels, fields))
    return [item["metadata"]["name"] for item in page.items]


@pytest.fixture
def team(store: Store, namespace: str) -> str:
    """Three workflows with labels, in a namespace."""
    store.create(workflow(namespace, "c", labels={"tier": "gold"}))
    store.create(workflow(namespace, "a", labels={"tier": "gold", "eu": "yes"}))
    store.create(workflow(namespace, "b", labels={"tier": "silver"}))
    return namespace


def test_objects_come_by_name(store: Store, team: str) -> None:
    assert names(store, team) == ["a", "b", "c"]


def test_all_namespaces_are_listed_when_none_is_named(store: Store, team: str) -> None:
    store.create(namespace_manifest(f"z{team}"))
    store.create(workflow(f"z{team}", "a"))
    listed = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in store.list(WORKFLOW).items]
    own = {team, f"z{team}"}  # of other tests there may be namespaces whose names begin alike
    there = [one for one in listed if one[0] in own]
    assert there == sorted(there)
    assert {(team, "c"), (f"z{team}", "a")} <= set(listed)
    assert names(store, team) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("tier=gold", ["a", "c"]),
        ("tier==silver", ["b"]),
        ("tier!=gold", ["b"]),
        ("tier in (gold,silver),eu", ["a"]),
        ("tier notin (gold)", ["b"]),
        ("!eu", ["b", "c"]),
        ("tier=gold,eu!=yes", ["c"]),
        ("nothing", []),
    ],
)
def test_labels_select(store: Store, team: str, labels: str, expected: list[str]) -> None:
    assert names(store, team, labels) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [("metadata.name=b", ["b"]), ("metadata.name!=b", ["a", "c"]), ("metadata.namespace=elsewhere", [])],
)
def test_fields_select(store: Store, team: str, fields: str, expected: list[str]) -> None:
    assert names(store, team, fields=fields) == expected


@pytest.mark.parametrize(
    ("labels", "fields"), [("a in b", ""), ("=x", ""), ("", "spec.owner=x"), ("", "metadata.name")]
)
def test_a_selector_that_can_not_be_read_is_a_bad_request(
    store: Store, namespace: str, labels: str, fields: str
) -> None:
    with pytest.raises(BadRequest):
        store.list(WORKFLOW, namespace, Selector(labels, fields))


def test_pages_show_one_moment(store: Store, namespace: str) -> None:
    for index in range(5):
        store.create(config_map(namespace, f"page-{index}"))
    first = store.list(CONFIG_MAP, namespace, Selector("", "metadata.name!=kube-root-ca.crt"), limit=2)
    store.create(config_map(namespace, "page-2b"))
    seen = list(first.items)
    page = first
    while page.continue_:
        page = store.list(
            CONFIG_MAP, namespace, Selector("", "metadata.name!=kube-root-ca.crt"), limit=2, continue_=page.continue_
        )
        seen += page.items
    assert [item["metadata"]["name"] for item in seen] == [f"page-{index}" for index in range(5)]
    assert page.resource_version == first.resource_version


def test_a_token_that_is_none_is_a_bad_request(store: Store, namespace: str) -> None:
    with pytest.raises(BadRequest):
        store.list(ROLLOUT, namespace, limit=1, continue_="not a token")


def test_an_empty_list_has_a_resource_version(store: Store, namespace: str) -> None:
    page = store.list(WORKFLOW_VERSION, namespace)
    assert page.items == []
    assert int(page.resource_version) > 0


def test_what_is_listed_is_a_copy(store: Store, namespace: str) -> None:
    store.create(rollout(namespace))
    store.list(ROLLOUT, namespace).items[0]["spec"]["percent"] = 99
    assert store.list(ROLLOUT, namespace).items[0]["spec"]["percent"] == 25


def test_what_a_caller_does_to_its_copy_does_not_move_selectors(store: Store, namespace: str) -> None:
    created = store.create(workflow(namespace, "mine", labels={"tier": "gold"}))
    created["metadata"]["labels"]["tier"] = "lead"
    assert names(store, namespace, "tier=gold") == ["mine"]
    assert names(store, namespace, "tier=lead") == []


def test_a_listed_version_is_where_a_write_can_go_on(store: Store, namespace: str) -> None:
    store.create(workflow(namespace))
    listed = store.list(WORKFLOW, namespace).items[0]
    listed["spec"]["team"] = "support"
    assert store.update(listed) == store.get(workflow_ref(namespace))
