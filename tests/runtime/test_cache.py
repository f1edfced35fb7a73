"""The shared cache: what was seen last, in order, by index, never twice the same copy."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.store import WatchEvent
from sluice.runtime.cache import Cache, Change
from sluice.runtime.queue import Key

A, B = Key("default", "a"), Key("default", "b")


def event(type: str, name: str, version: int, team: str = "x", namespace: str = "default") -> WatchEvent:
    obj = {"kind": "Workflow", "metadata": {"name": name, "namespace": namespace}, "spec": {"team": team}}
    return WatchEvent(type, obj, str(version))  # type: ignore[arg-type]


@pytest.fixture(params=[False, True], ids=["plain", "packed"])
def cache(request: pytest.FixtureRequest) -> Cache:
    return Cache(kinds.WORKFLOW, {"team": lambda obj: [obj["spec"]["team"]]}, packed=request.param)


@pytest.fixture
def changes(cache: Cache) -> list[Change]:
    heard: list[Change] = []
    cache.on_change(heard.append)
    return heard


def team(cache: Cache, key: Key) -> Any:
    obj = cache.get(key)
    return obj and obj["spec"]["team"]


def test_it_holds_the_newest_state(cache: Cache) -> None:
    cache.apply(event("ADDED", "a", 1, "x"))
    cache.apply(event("MODIFIED", "a", 5, "y"))

    assert team(cache, A) == "y"
    assert cache.version(A) == 5
    assert len(cache) == 1


def test_every_reader_gets_a_copy(cache: Cache) -> None:
    cache.apply(event("ADDED", "a", 1))
    mine = cache.get(A)
    assert mine is not None
    mine["spec"]["team"] = "changed"

    assert team(cache, A) == "x"


@pytest.mark.parametrize("version", [4, 5])
def test_an_older_or_repeated_state_is_passed_over_and_nobody_is_told(
    cache: Cache, changes: list[Change], version: int
) -> None:
    cache.apply(event("ADDED", "a", 5, "new"))
    changes.clear()
    cache.apply(event("MODIFIED", "a", version, "old"))

    assert team(cache, A) == "new"
    assert changes == []


def test_a_late_word_about_what_was_deleted_does_not_bring_it_back(cache: Cache, changes: list[Change]) -> None:
    cache.apply(event("ADDED", "a", 1))
    cache.apply(event("DELETED", "a", 7))
    changes.clear()
    cache.apply(event("MODIFIED", "a", 6, "late"))
    cache.apply(event("DELETED", "a", 7))

    assert cache.get(A) is None
    assert cache.keys_by("team", "late") == []
    assert changes == []


def test_what_is_made_again_under_the_same_name_is_there_again(cache: Cache) -> None:
    cache.apply(event("ADDED", "a", 1))
    cache.apply(event("DELETED", "a", 2))
    cache.apply(event("ADDED", "a", 3, "again"))

    assert team(cache, A) == "again"
    assert cache.keys_by("team", "again") == [A]


def test_a_deletion_that_is_older_than_what_is_known_is_passed_over(cache: Cache) -> None:
    cache.apply(event("ADDED", "a", 9))
    cache.apply(event("DELETED", "a", 3))

    assert team(cache, A) == "x"


def test_indexes_follow_changes(cache: Cache) -> None:
    cache.apply(event("ADDED", "b", 1, "x"))
    cache.apply(event("ADDED", "a", 2, "x"))
    assert cache.keys_by("team", "x") == [A, B]

    cache.apply(event("MODIFIED", "b", 3, "y"))
    assert (cache.keys_by("team", "x"), cache.keys_by("team", "y")) == ([A], [B])
    assert [obj["metadata"]["name"] for obj in cache.by("team", "y")] == ["b"]

    cache.apply(event("DELETED", "a", 4, "x"))
    assert cache.keys_by("team", "x") == []


def test_handlers_hear_each_change_in_order_with_its_last_state(cache: Cache, changes: list[Change]) -> None:
    cache.apply(event("ADDED", "a", 1))
    cache.apply(event("MODIFIED", "a", 2, "y"))
    cache.apply(event("DELETED", "a", 3, "y"))

    assert [(change.type, change.key, change.object["spec"]["team"]) for change in changes] == [
        ("ADDED", A, "x"),
        ("MODIFIED", A, "y"),
        ("DELETED", A, "y"),
    ]


def test_one_handler_that_fails_keeps_nobody_else_from_hearing(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Change] = []

    def broken(change: Change) -> None:
        raise ValueError("a bug")

    cache.on_change(broken)
    cache.on_change(heard.append)
    cache.apply(event("ADDED", "a", 1))

    assert len(heard) == 1
    assert "a bug" in caplog.text


def test_keys_can_be_had_by_namespace(cache: Cache) -> None:
    cache.apply(event("ADDED", "a", 1))
    cache.apply(event("ADDED", "a", 2, namespace="other"))

    assert cache.keys("other") == [Key("other", "a")]
    assert len(cache.keys()) == 2
