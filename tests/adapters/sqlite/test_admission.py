"""The store asks admission about each write, as the actor who makes it, and again when somebody was faster."""

from __future__ import annotations

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import WORKFLOW
from sluice.ports.admission import AdmissionRequest
from sluice.ports.errors import Forbidden
from sluice.ports.store import Actor, Ref
from tests.adapters.sqlite.stores import Opened, obj, owner_reference, rollout, workflow


class Rules:
    """Fills in a default, refuses what ana does to frozen objects, and keeps a record."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def admit(self, request: AdmissionRequest) -> None:
        self.asked.append((request.operation, request.actor.user, request.subresource))
        if request.new is not None and request.kind == WORKFLOW:
            request.new["spec"].setdefault("scope", "Organization")
        if request.actor.user == "ana" and request.old is not None and request.old["spec"].get("frozen"):
            raise Forbidden("frozen")


def test_each_write_is_asked_about_as_its_actor() -> None:
    writer, rules = Writer(":memory:"), Rules()
    store = SqliteStore(writer, rules)
    ana = store.acting_as(Actor("ana", ("ops",)))
    rules.asked.clear()
    created = ana.create(obj("Workflow", "a"))
    assert created["spec"]["scope"] == "Organization"
    assert "f:scope" in created["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
    ana.update_status({**created, "status": {"phase": "x"}})
    ana.patch(workflow("a"), {"spec": {"frozen": True}})
    with pytest.raises(Forbidden, match="frozen"):
        ana.delete(workflow("a"))
    store.delete(workflow("a"))
    assert rules.asked == [
        ("CREATE", "ana", ""),
        ("UPDATE", "ana", "status"),
        ("UPDATE", "ana", ""),
        ("DELETE", "ana", ""),
        ("DELETE", "system:sluice", ""),
    ]
    writer.close()


def test_the_collector_asks_nobody() -> None:
    writer, rules = Writer(":memory:"), Rules()
    store = SqliteStore(writer, rules)
    owner = store.create(obj("Workflow", "a"))
    store.create(obj("Rollout", "a", ownerReferences=[owner_reference(owner)]))
    store.delete(workflow("a"))
    asked = len(rules.asked)
    for _ in range(5):
        writer.run(lambda _: None)
    assert store.list(rollout("a").kind).items == []
    assert len(rules.asked) == asked
    writer.close()


def test_true_one_and_one_point_naught_are_three_values() -> None:
    with Opened() as opened:
        opened.store.create(obj("Workflow", "a"))
        seen = []
        for value in (1, True, 1.0, 1):
            changed = opened.store.patch(Ref(WORKFLOW, "default", "a"), {"spec": {"x": value}})
            seen.append((type(changed["spec"]["x"]), changed["metadata"]["generation"]))
        assert seen == [(int, 2), (bool, 3), (float, 4), (int, 5)]
