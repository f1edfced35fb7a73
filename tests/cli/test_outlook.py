from __future__ import annotations

from typing import Any

import pytest

from sluice.cli.outlook import History, definition_changes, object_change, publication, rollout_course
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.ports.store import Obj
from tests.cli.place import STEP, manifest, version, workflow

OTHER = {"name": "other", "needs": ["hello"], "action": {"python": {"code": "output = 2"}}}


def steps(*names: str, **changes: Any) -> Obj:
    return {"steps": [{"name": name, "needs": [], **changes.get(name, {})} for name in names]}


def published(definition: Obj, number: int = 1) -> Obj:
    canonical = canonicalize(definition)
    taken = digest(canonical)
    return version(number, definition=canonical, digest=taken, draftDigest=taken)


def test_an_object_that_is_not_there_is_created() -> None:
    change = object_change(None, workflow())
    assert (change.name, change.verb) == ("workflow.sluice.dev/support", "created")


def test_fields_are_compared_one_by_one_and_statuses_are_not() -> None:
    before = workflow(team="one", tags=["a"]) | {"status": {"phase": "Draft"}}
    after = workflow(team="two", suspend=True)
    assert [str(field) for field in object_change(before, after).fields] == [
        "spec.suspend: true (new)",
        'spec.tags: ["a"] -> (removed)',
        "spec.team: one -> two",
    ]


def test_what_the_server_adds_is_no_change() -> None:
    before = manifest(
        "Rollout",
        "a",
        {"percent": 1},
        uid="1",
        annotations={"sluice.dev/changed-by": "ana"},
        labels={"sluice.dev/source": "main"},
    )
    after = manifest("Rollout", "a", {"percent": 1}, uid="1", labels={})
    assert object_change(before, after).verb == "unchanged"


def test_long_values_are_cut_on_one_line() -> None:
    change = object_change(workflow(description="a"), workflow(description="b\n" * 100)).fields[0]
    assert change.after is not None
    assert len(change.after) == 72
    assert "\n" not in change.after


def test_the_first_version_takes_all_runs() -> None:
    assert publication(workflow(), History(), None) == [
        "is published as v1",
        "step hello is added",
        "takes all runs: there is no version before it",
    ]


def test_a_draft_that_is_published_leads_to_nothing() -> None:
    """Reordered keys and comments publish nothing."""
    definition = {"steps": [{"action": STEP["action"], "name": "hello", "description": "new words"}]}
    history = History([published({"steps": [STEP]})], 2)
    assert publication(workflow(definition=definition), history, None) == []


def test_a_changed_draft_tells_version_steps_and_rollout() -> None:
    history = History([published({"steps": [STEP]}, 3)], 4)
    changed = {"steps": [{**STEP, "timeout": "5s"}, OTHER]}
    rollout = manifest("Rollout", "support", {"percent": 10})
    assert publication(workflow(definition=changed), history, rollout) == [
        "is published as v4",
        "step other is added",
        "step hello changes: timeout",
        "takes 10 % of new runs",
    ]


def test_manual_policy_and_approvals_are_told() -> None:
    publish = {"policy": "Manual", "approval": {"groups": ["ops"]}}
    lines = publication(workflow(publish=publish), History(), None)
    assert lines[:2] == [
        "waits for `sluice publish support`, then is published as v1",
        "waits for an approval before it takes runs",
    ]


def test_a_definition_from_another_workflow_is_named() -> None:
    taken = manifest("Workflow", "a", {"definitionFrom": {"workflow": "b", "version": "v2"}})
    assert publication(taken, History(), None) == ["takes its definition from b v2"]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (steps("a", "b"), steps("b", "a"), ["the order of steps changes"]),
        (steps("a"), steps("a", a={"when": "x"}), ["step a changes: when"]),
        (steps("a") | {"finally": [{"name": "z"}]}, steps("a"), ["finally step z is removed"]),
        (steps("a") | {"graphs": {"g": 1}}, steps("a") | {"graphs": {"g": 2, "h": 1}}, ["graph g changes", "graph h is added"]),
        (steps("a") | {"params": {}}, steps("a") | {"params": {"x": {}}}, ["params changes"]),
        (steps("a"), steps("a"), []),
    ],
)  # fmt: skip
def test_definitions_are_compared_by_their_parts(before: Obj, after: Obj, lines: list[str]) -> None:
    assert definition_changes(before, after) == lines


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (None, "takes 100 % of new runs"),
        ({"percent": "0.5"}, "takes 0.5 % of new runs"),
        (
            {
                "steps": [
                    {"percent": 5, "pause": {"duration": "30m"}, "gate": {"minRuns": 20}},
                    {"percent": 50, "pause": {}},
                    {"percent": 100},
                ]
            },
            "takes runs by steps: 5 % (for 30m, after 20 runs), 50 % (until advanced), 100 %",
        ),
    ],
)
def test_the_course_of_a_rollout_is_told(spec: Obj | None, text: str) -> None:
    assert rollout_course({"spec": spec} if spec else None, has_stable=True) == text
