"""Field ownership, by example: what each kind of write claims, in the bytes that a real API server stores."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.objects.ownership import By, Entry, OwnershipConflict, after_apply, after_write, readable
from sluice.domain.objects.shapes import shape_of
from tests.domain.objects.strategies import SHAPE

NOW, LATER = "2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z"


def by(manager: str, now: str = NOW, subresource: str = "") -> By:
    return By(manager, "v1", now, subresource)


def fields(managed: list[Entry]) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in managed}


def spec(**entries: Any) -> dict[str, Any]:
    return {"spec": entries}


APPLIED = [
    ("a scalar", spec(percent=1), {"f:spec": {"f:percent": {}}}),
    ("an atomic list", spec(plain=["1"]), {"f:spec": {"f:plain": {}}}),
    ("an atomic map", spec(whole={"a": "1"}), {"f:spec": {"f:whole": {}}}),
    ("a map of texts", spec(limits={"a": "1"}), {"f:spec": {"f:limits": {"f:a": {}}}}),
    ("an empty map", spec(limits={}), {"f:spec": {"f:limits": {}}}),
    ("a set", spec(tags=["a"]), {"f:spec": {"f:tags": {'v:"a"': {}}}}),
    (
        "a list-map",
        spec(steps=[{"name": "x", "retries": 1}]),
        {"f:spec": {"f:steps": {'k:{"name":"x"}': {".": {}, "f:name": {}, "f:retries": {}}}}},
    ),
    ("free fields", spec(free={"a": {"b": "1"}}), {"f:spec": {"f:free": {"f:a": {".": {}, "f:b": {}}}}}),
    ("empty lists of entries beside a scalar", spec(tags=[], steps=[], percent=1), {"f:spec": {"f:percent": {}}}),
    ("an empty atomic list", spec(plain=[]), {"f:spec": {"f:plain": {}}}),
    ("an empty spec", {"spec": {}}, {"f:spec": {}}),
    ("an empty map in a free one", spec(free={"a": {}}), {"f:spec": {"f:free": {"f:a": {}}}}),
    ("labels", {"metadata": {"labels": {"a": "b"}}}, {"f:metadata": {"f:labels": {"f:a": {}}}}),
    ("metadata without anything in it", {"metadata": {"name": "x"}, **spec(percent=1)}, {"f:spec": {"f:percent": {}}}),
    (
        "owner references and finalizers",
        {"metadata": {"finalizers": ["x/y"], "ownerReferences": [{"uid": "u", "name": "n"}]}},
        {"f:metadata": {"f:finalizers": {'v:"x/y"': {}}, "f:ownerReferences": {'k:{"uid":"u"}': {}}}},
    ),
]


@pytest.mark.parametrize(("config", "claimed"), [case[1:] for case in APPLIED], ids=[case[0] for case in APPLIED])
def test_an_apply_claims_just_what_it_names(config: dict[str, Any], claimed: dict[str, Any]) -> None:
    applied = after_apply(SHAPE, None, config, managed=[], by=by("git"))
    assert fields(applied.managed) == {"git": claimed}


WRITTEN = [
    ("a scalar", spec(percent=1), {"f:spec": {".": {}, "f:percent": {}}}),
    ("a map of texts", spec(limits={"a": "1"}), {"f:spec": {".": {}, "f:limits": {".": {}, "f:a": {}}}}),
    ("a set", spec(tags=["a"]), {"f:spec": {".": {}, "f:tags": {".": {}, 'v:"a"': {}}}}),
    (
        "a list-map",
        spec(steps=[{"name": "x"}]),
        {"f:spec": {".": {}, "f:steps": {".": {}, 'k:{"name":"x"}': {".": {}, "f:name": {}}}}},
    ),
    ("labels", {"metadata": {"labels": {"a": "b"}}}, {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}),
]


@pytest.mark.parametrize(("new", "claimed"), [case[1:] for case in WRITTEN], ids=[case[0] for case in WRITTEN])
def test_a_create_claims_all_of_it_with_its_parents(new: dict[str, Any], claimed: dict[str, Any]) -> None:
    assert fields(after_write(SHAPE, {}, new, [], by("ana"))) == {"ana": claimed}


def test_a_write_takes_over_what_it_changes_and_nothing_else() -> None:
    old = spec(percent=1, owner="1")
    managed = after_write(SHAPE, {}, old, [], by("ana"))
    managed = after_write(SHAPE, old, spec(percent=2, owner="1"), managed, by("bob", LATER))
    assert fields(managed) == {"ana": {"f:spec": {".": {}, "f:owner": {}}}, "bob": {"f:spec": {"f:percent": {}}}}
    assert [entry["time"] for entry in managed] == [NOW, LATER]


def test_what_is_removed_is_nobodys() -> None:
    old = spec(limits={"a": "1", "b": "1"})
    managed = after_write(SHAPE, {}, old, [], by("ana"))
    managed = after_write(SHAPE, old, spec(limits={"b": "1"}), managed, by("bob"))
    assert fields(managed) == {"ana": {"f:spec": {".": {}, "f:limits": {".": {}, "f:b": {}}}}}


def test_a_write_of_the_same_changes_no_time() -> None:
    old = spec(percent=1)
    managed = after_write(SHAPE, {}, old, [], by("ana"))
    assert after_write(SHAPE, old, spec(percent=1), managed, by("ana", LATER)) is managed


def test_status_is_owned_apart_from_the_rest() -> None:
    old = spec(percent=1)
    managed = after_write(SHAPE, {}, old, [], by("ana"))
    new = {**spec(percent=2), "status": {"phase": "x"}}
    managed = after_write(SHAPE, old, new, managed, by("ana", LATER, "status"))
    assert [(entry.get("subresource"), entry["fieldsV1"]) for entry in managed] == [
        (None, {"f:spec": {".": {}, "f:percent": {}}}),
        ("status", {"f:status": {".": {}, "f:phase": {}}}),
    ]


def test_a_conflict_names_each_manager_and_field() -> None:
    old = spec(steps=[{"name": "x", "retries": 1}], percent=1)
    managed = after_apply(SHAPE, None, old, managed=[], by=by("git")).managed
    managed = after_write(SHAPE, old, {**spec(**old["spec"], owner="1")}, managed, by("kubectl"))
    live = spec(**old["spec"], owner="1")
    wanted = spec(steps=[{"name": "x", "retries": 2}], owner="2")
    with pytest.raises(OwnershipConflict) as caught:
        after_apply(SHAPE, live, wanted, managed=managed, by=by("ana"))
    assert str(caught.value) == (
        'Apply failed with 2 conflicts: conflicts with "git":\n- .spec.steps[name="x"].retries\n'
        'conflicts with "kubectl" using v1:\n- .spec.owner'
    )


def test_conflicts_come_in_the_api_servers_order() -> None:
    old = spec(limits={"b": "1", "c": "1"}, percent=1)
    managed = after_write(SHAPE, {}, old, [], by("git"))
    with pytest.raises(OwnershipConflict) as caught:
        after_apply(SHAPE, old, spec(limits={"b": "2", "c": "2"}, percent=2), managed=managed, by=by("ana"))
    assert [claim.field for claim in caught.value.claims] == [".spec.percent", ".spec.limits.b", ".spec.limits.c"]


def test_empty_lists_alone_claim_nothing_at_all() -> None:
    assert after_apply(SHAPE, None, spec(steps=[]), managed=[], by=by("git")).managed == []


def test_nobody_owned_nothing_before_the_first_apply() -> None:
    applied = after_apply(SHAPE, {"metadata": {"name": "x"}}, spec(percent=1), managed=[], by=by("git"))
    assert set(fields(applied.managed)) == {"git"}


def test_an_item_left_out_is_removed_with_what_a_plain_write_added_to_it() -> None:
    first = after_apply(SHAPE, None, spec(steps=[{"name": "x"}, {"name": "y"}]), managed=[], by=by("git"))
    live = spec(steps=[{"name": "x", "image": "1"}, {"name": "y"}])
    managed = after_write(SHAPE, first.obj, live, first.managed, by("bob"))
    left = after_apply(SHAPE, live, spec(steps=[{"name": "y"}]), managed=managed, by=by("git"))
    assert left.obj == spec(steps=[{"name": "y"}])
    assert set(fields(left.managed)) == {"git"}


def test_a_declared_map_goes_when_nobody_owns_anything_in_it() -> None:
    first = after_apply(SHAPE, None, spec(percent=1, nested={"a": "1"}), managed=[], by=by("git"))
    left = after_apply(SHAPE, first.obj, spec(percent=1), managed=first.managed, by=by("git"))
    assert left.obj == spec(percent=1)


def test_new_items_are_merged_in_the_order_of_who_applies() -> None:
    live = spec(steps=[{"name": "a"}, {"name": "b"}, {"name": "c"}])
    config = spec(steps=[{"name": "c"}, {"name": "n"}, {"name": "a"}])
    merged = after_apply(SHAPE, live, config, managed=[], by=by("git"), force=True)
    assert [step["name"] for step in merged.obj["spec"]["steps"]] == ["b", "c", "n", "a"]


def test_many_plain_writers_are_told_together() -> None:
    managed: list[Entry] = []
    old: dict[str, Any] = {}
    for index in range(15):
        new = spec(**old.get("spec", {}), **{f"f{index}": "1"})
        managed = after_write(shape_of(None), old, new, managed, by(f"m{index:02}", f"2026-03-01T12:00:{index:02}Z"))
        old = new
    assert len(managed) == 10
    assert "ancient-changes" in fields(managed)
    assert {f"f:f{index}" for index in range(6)} <= set(fields(managed)["ancient-changes"]["f:spec"])


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (None, None),
        ([], None),
        ([{}], []),
        ("text", None),
        ([{"manager": "a", "operation": "Apply"}], None),
        ([{"manager": "a", "operation": "Steal", "fieldsV1": {}}], None),
    ],
)
def test_what_a_client_says_about_ownership_is_heard_only_if_it_can_be_read(said: Any, read: Any) -> None:
    assert readable(said) == read
