"""What a server does to an object by itself: unknown fields go, defaults come, the rest stays as it was written."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sluice.crds import schemas
from sluice.domain.admission.kinds import kind_check
from sluice.domain.objects.metadata import Problem
from tests.domain.admission.objects import a_workflow, an

CHECKS = {kind: kind_check(schema) for kind, schema in schemas().items()}


def admitted(obj: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    assert CHECKS[obj["kind"]].object_problems(obj, old) == []
    return obj


def problems(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[Problem]:
    return CHECKS[obj["kind"]].object_problems(obj, old)


def fields(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return [(problem.field, problem.reason) for problem in problems(obj, old)]


def test_unknown_fields_are_pruned_at_every_depth() -> None:
    obj = an("Rollout", typo=1, steps=[{"percent": 5, "typo": 2}], percent=None) | {"typo": 3}
    assert admitted(obj)["spec"]["steps"] == [{"percent": 5}]
    assert "typo" not in obj
    assert "typo" not in obj["spec"]


def test_metadata_is_left_alone() -> None:
    obj = an("Rollout")
    obj["metadata"] |= {"labels": {"a": "b"}, "managedFields": [{"manager": "kubectl"}]}
    before = copy.deepcopy(obj["metadata"])
    assert admitted(obj)["metadata"] == before


def test_free_form_values_keep_everything_nulls_included() -> None:
    payload = {"customer": None, "deep": [{"unknown": None}]}
    obj = an("WorkflowRun", input={"workflow": "hello", "payload": payload, "params": {"limit": None}})
    assert admitted(obj)["spec"]["input"]["payload"] == payload
    assert obj["spec"]["input"]["params"] == {"limit": None}


def test_null_means_absent_for_fields_and_entries() -> None:
    obj = an("Workflow", team="t", environments={"sandbox": None, "production": "Active"})
    obj["spec"]["team"] = None
    spec = admitted(obj)["spec"]
    assert "team" not in spec
    assert spec["environments"] == {"production": "Active"}


def test_null_for_a_required_field_is_a_missing_field() -> None:
    obj = an("Workflow")
    obj["spec"]["owner"] = None
    assert fields(obj) == [("spec.owner", "FieldValueRequired")]


def test_defaults_are_filled_in_outside_of_the_definition_only() -> None:
    obj = a_workflow({"name": "ask", "approval": {"groups": ["leads"]}})
    spec = admitted(obj)["spec"]
    assert (spec["scope"], spec["suspend"]) == ("Organization", False)
    assert spec["definition"] == {"steps": [{"name": "ask", "approval": {"groups": ["leads"]}}]}


def test_defaults_of_a_part_come_only_where_the_part_is() -> None:
    assert "publish" not in admitted(an("Workflow"))["spec"]
    assert admitted(an("Workflow", publish={}))["spec"]["publish"] == {"policy": "Automatic", "rollout": "Optional"}


def test_a_versions_definition_is_neither_defaulted_nor_pruned() -> None:
    definition = {"steps": [{"name": "greet", "kept": None, "unknown": {"a": []}}], "finally": None}
    obj = an("WorkflowVersion", definition=copy.deepcopy(definition))
    assert admitted(obj)["spec"]["definition"] == definition


def test_status_is_not_looked_at_by_a_write_of_the_object() -> None:
    obj = an("Rollout") | {"status": {"phase": "NoSuchPhase"}}
    assert admitted(obj)["status"] == {"phase": "NoSuchPhase"}


def test_a_status_write_judges_status_alone() -> None:
    obj = an("Rollout", percent=200) | {"status": {"phase": "NoSuchPhase", "unknown": 1}}
    found = CHECKS["Rollout"].status_problems(obj)
    assert [problem.field for problem in found] == ["status.phase"]
    assert obj["status"] == {"phase": "NoSuchPhase"}


def test_what_was_stored_before_is_not_judged_again() -> None:
    old = an("Rollout", steps=[{"percent": 500}], percent=None)
    new = copy.deepcopy(old)
    new["spec"]["onNoData"] = "Stop"
    assert problems(new, old) == []
    new["spec"]["steps"][0]["percent"] = 600
    assert fields(new, old) == [("spec.steps[0].percent", "FieldValueInvalid")]


def test_items_of_a_keyed_list_are_known_by_their_key() -> None:
    old = a_workflow({"name": "UPPER", "data": {"connection": "c", "operation": "Query"}})
    new = copy.deepcopy(old)
    new["spec"]["definition"]["steps"].insert(0, {"name": "ok", "data": {"connection": "c", "operation": "Read"}})
    assert problems(new, old) == []


def test_true_in_place_of_1_is_a_change_and_a_fault() -> None:
    old = admitted(an("Rollout", percent=1))
    new = copy.deepcopy(old)
    new["spec"]["percent"] = True
    assert fields(new, old) == [("spec.percent", "FieldValueTypeInvalid")]


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_an_object_without_spec_is_refused(kind: str) -> None:
    obj = an(kind)
    del obj["spec"]
    assert fields(obj) == [("spec", "FieldValueRequired")]


def test_a_list_over_its_bound_is_told_by_that_alone() -> None:
    obj = an("Workflow", tags=[1] * 100_000)
    assert fields(obj) == [("spec.tags", "FieldValueTooMany")]
