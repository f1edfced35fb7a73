"""What a restart keeps: every object as it was, the count of resource versions, and deletions half-way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sluice.adapters.sqlite.writer import StopTheWorld
from sluice.api.kinds import NAMESPACE, ROLLOUT, WORKFLOW
from sluice.ports.errors import Gone, NotFound, Unavailable
from sluice.ports.store import Ref
from tests.adapters.sqlite.stores import Opened, obj, owner_reference, workflow


def names(opened: Opened) -> list[str]:
    return [item["metadata"]["name"] for kind in (WORKFLOW, ROLLOUT) for item in opened.store.list(kind).items]


def test_objects_are_the_same_after_a_restart(tmp_path: Path) -> None:
    with Opened(tmp_path / "a.db") as first:
        created = first.store.create(obj("Workflow", "a", labels={"x": "y"}))
        first.store.update_status({**created, "status": {"phase": "Deployed"}})
        before = [first.store.list(kind).items for kind in (WORKFLOW, NAMESPACE)]
    with Opened(tmp_path / "a.db") as second:
        assert [second.store.list(kind).items for kind in (WORKFLOW, NAMESPACE)] == before


def test_resource_versions_go_on_and_none_is_used_twice(tmp_path: Path) -> None:
    with Opened(tmp_path / "a.db") as first:
        first.store.create(obj("Workflow", "a"))
        last = first.store.delete(workflow("a"))
    with Opened(tmp_path / "a.db") as second:
        assert second.store.list(WORKFLOW).resource_version == last["metadata"]["resourceVersion"]
        created = second.store.create(obj("Workflow", "a"))
        assert int(created["metadata"]["resourceVersion"]) > int(last["metadata"]["resourceVersion"])


def test_an_older_resource_version_is_gone_after_a_restart_but_the_newest_is_not(tmp_path: Path) -> None:
    with Opened(tmp_path / "a.db") as first:
        old = first.store.create(obj("Workflow", "a"))["metadata"]["resourceVersion"]
        first.store.create(obj("Workflow", "b"))
    with Opened(tmp_path / "a.db") as second:
        with pytest.raises(Gone, match="too old resource version"):
            second.store.watch(WORKFLOW, since=old)
        watch = second.store.watch(WORKFLOW, since=second.store.list(WORKFLOW).resource_version)
        second.store.create(obj("Workflow", "c"))
        assert next(iter(watch)).object["metadata"]["name"] == "c"


def test_a_page_token_is_gone_after_a_restart(tmp_path: Path) -> None:
    with Opened(tmp_path / "a.db") as first:
        for name in "abc":
            first.store.create(obj("Workflow", name))
        token = first.store.list(WORKFLOW, limit=1).continue_
    with Opened(tmp_path / "a.db") as second, pytest.raises(Gone, match="continue parameter is too old"):
        second.store.list(WORKFLOW, continue_=token)


@pytest.mark.parametrize("crash_after", range(1, 8))
def test_a_cascade_that_a_crash_cut_short_is_finished_at_the_next_start(tmp_path: Path, crash_after: int) -> None:
    commits = 0

    def fault(point: str) -> None:
        nonlocal commits
        commits += point == "after-commit" and armed
        if armed and commits >= crash_after:
            raise StopTheWorld

    armed = False
    first = Opened(tmp_path / "a.db", fault=fault)
    top = first.store.create(obj("Workflow", "top"))
    middle = first.store.create(obj("Workflow", "middle", ownerReferences=[owner_reference(top)]))
    for index in range(3):
        first.store.create(obj("Rollout", f"leaf-{index}", ownerReferences=[owner_reference(middle)]))
    armed = True
    try:
        first.store.delete(workflow("top"))
        first.settle()
    except Unavailable:
        assert commits >= crash_after
    first.store.close()
    first.writer.close()
    with Opened(tmp_path / "a.db") as second:
        second.settle()
        assert names(second) == []


def test_a_namespace_that_a_crash_left_half_empty_is_emptied(tmp_path: Path) -> None:
    stopped = False

    def fault(point: str) -> None:
        if stopped and point == "after-commit":
            raise StopTheWorld

    first = Opened(tmp_path / "a.db", fault=fault)
    first.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    first.store.create(obj("Workflow", "a", namespace="team"))
    stopped = True
    with pytest.raises(Unavailable):
        first.store.delete(Ref(NAMESPACE, "", "team"))
    first.writer.close()
    with Opened(tmp_path / "a.db") as second:
        second.settle()
        with pytest.raises(NotFound):
            second.store.get(Ref(NAMESPACE, "", "team"))
        assert names(second) == []


def test_objects_of_a_kind_that_is_not_known_are_kept(tmp_path: Path) -> None:
    with Opened(tmp_path / "a.db") as first:
        first.store.create(obj("Workflow", "a"))
    with sqlite3.connect(tmp_path / "a.db") as raw:
        raw.execute("UPDATE object SET kind = 'futures.sluice.dev' WHERE kind = 'workflows.sluice.dev'")
    raw.close()
    with Opened(tmp_path / "a.db") as second:
        assert names(second) == []
        second.store.create(obj("Workflow", "a"))
        count = second.writer.readonly().execute("SELECT count(*) FROM object WHERE name = 'a'").fetchone()
        assert count == (2,)
