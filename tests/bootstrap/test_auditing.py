"""R252 to R254: who did what, when, from where; each act once, in one chain."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api import kinds
from sluice.ports.errors import Forbidden
from sluice.ports.store import Ref
from tests.simulation.embedded import Simulation, definition

WORKFLOW = Ref(kinds.WORKFLOW, "default", "greet")


def workflow(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": "greet", "namespace": "default"},
        "spec": {"owner": "ana@example.com", "definition": definition("output = 1"), **spec},
    }


def test_an_entry_says_who_what_when_and_from_where(audited) -> None:  # type: ignore[no-untyped-def]
    made = audited.store.create(workflow(), manager="kubectl-create")

    entry = audited.entries()[0]
    assert (entry.actor, entry.action, entry.namespace, entry.object) == (
        "ana@example.com",
        "workflow.created",
        "default",
        "workflow/greet",
    )
    assert entry.at == audited.ledger.now()
    assert entry.body == {
        "uid": made["metadata"]["uid"],
        "generation": 1,
        "manager": "kubectl-create",
        "from": "the test",
    }


def test_each_edit_is_entered_and_one_of_the_draft_also_as_saved(audited) -> None:  # type: ignore[no-untyped-def]
    audited.store.create(workflow())
    audited.store.patch(WORKFLOW, {"spec": {"suspend": True}})
    audited.store.patch(WORKFLOW, {"spec": {"definition": definition("output = 2")}})
    audited.store.update(workflow(suspend=False), manager="kubectl-replace")
    audited.store.patch(WORKFLOW, {"metadata": {"labels": {"team": "support"}}})

    assert audited.actions() == [
        "workflow.created",
        "workflow.draft_saved",
        "workflow.edited",
        "workflow.edited",
        "workflow.draft_saved",
        "workflow.edited",
        "workflow.draft_saved",
        "workflow.updated",
    ]


def test_what_changes_nothing_and_what_is_only_tried_is_not_entered(audited) -> None:  # type: ignore[no-untyped-def]
    audited.store.apply(workflow(), manager="ci")
    audited.store.apply(workflow(), manager="ci")
    audited.store.patch(WORKFLOW, {"spec": {"suspend": True}}, dry_run=True)
    audited.store.delete(WORKFLOW, dry_run=True)

    assert audited.actions() == ["workflow.created", "workflow.draft_saved"]


def test_runs_rollouts_and_deletions_are_entered(audited) -> None:  # type: ignore[no-untyped-def]
    header = {"apiVersion": kinds.API_VERSION, "metadata": {"name": "greet", "namespace": "default"}}
    audited.store.create({**header, "kind": "Rollout", "spec": {"percent": 5}})
    audited.store.patch(Ref(kinds.ROLLOUT, "default", "greet"), {"spec": {"percent": 10}})
    run = {**header, "metadata": {"generateName": "greet-", "namespace": "default"}, "kind": "WorkflowRun"}
    made = audited.store.create({**run, "spec": {"input": {"workflow": "greet"}}})
    audited.store.delete(Ref(kinds.ROLLOUT, "default", "greet"))

    entries = audited.entries()
    assert [entry.action for entry in entries] == [
        "rollout.created",
        "rollout.updated",
        "workflowrun.created",
        "rollout.deleted",
    ]
    assert entries[2].object == f"workflowrun/{made['metadata']['name']}"


def test_a_denial_is_entered_and_still_refused(audited) -> None:  # type: ignore[no-untyped-def]
    header = {"apiVersion": kinds.API_VERSION, "kind": "WorkflowRun"}
    metadata = {"name": "forged", "namespace": "default"}
    pin = {"version": "greet-v1", "number": 1, "digest": "sha256:" + "0" * 64, "environment": "sandbox"}
    made = audited.store.create({**header, "metadata": metadata, "spec": {"input": {"workflow": "greet"}}})
    made["spec"]["pin"] = pin | {"at": "2026-03-01T12:00:00Z"}
    with pytest.raises(Forbidden):
        audited.store.update(made)

    denied = audited.entries()[-1]
    assert (denied.action, denied.object) == ("authz.denied", "workflowrun/forged")
    assert "forbidden" in denied.body["message"]


def test_nobody_can_say_that_somebody_else_started_a_run(audited) -> None:  # type: ignore[no-untyped-def]
    run: dict[str, Any] = {
        "apiVersion": kinds.API_VERSION,
        "kind": "WorkflowRun",
        "metadata": {"name": "r", "namespace": "default"},
        "spec": {"input": {"workflow": "greet", "actor": "boss@example.com"}},
    }
    with pytest.raises(Forbidden, match="the one who starts the run"):
        audited.store.create(run)
    del run["spec"]["input"]["actor"]
    assert audited.store.create(run)["spec"]["input"]["actor"] == "ana@example.com"


def test_nobody_can_say_that_somebody_else_changed_a_workflow(audited) -> None:  # type: ignore[no-untyped-def]
    audited.store.create(workflow())
    forged = {"metadata": {"annotations": {"sluice.dev/changed-by": "boss@example.com"}}}
    after = audited.store.patch(WORKFLOW, forged)

    assert after["metadata"]["annotations"]["sluice.dev/changed-by"] == "ana@example.com"


def test_a_publish_is_entered_once_with_the_versions_number() -> None:
    world = Simulation()
    world.environment()
    world.workflow()
    world.settle()
    world.edit("greet", "output = 2")
    world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"reverts": {"v3": {"to": "v1", "percent": 100}}})
    world.settle()
    world.system.workflows.queue.add(next(iter(world.system.caches.workflows.keys("default"))))
    world.settle()

    published = [entry for entry in reversed(world.ledger.audit_tail()) if entry.action == "workflow.published"]
    assert [(entry.object, entry.body["number"], entry.body.get("revertOf")) for entry in published] == [
        ("workflow/greet", 1, None),
        ("workflow/greet", 2, None),
        ("workflow/greet", 3, "v1"),
    ]
    assert world.ledger.audit_broken_at() == 0
    world.close()


def test_what_could_not_be_written_is_written_once_the_ledger_can_be(audited) -> None:  # type: ignore[no-untyped-def]
    """Entered in order however many wait, and the chain holds."""
    for n in range(50):
        audited.journal.enter("ana@example.com", f"act-{n}", ("default", "x"), {}, urgent=n % 7 == 0)

    assert audited.actions() == [f"act-{n}" for n in range(50)]
    assert audited.ledger.audit_broken_at() == 0
