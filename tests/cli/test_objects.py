from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from sluice.api.kinds import CONFIG_MAP, WORKFLOW
from sluice.cli.failures import Wrong
from sluice.cli.getting import parse_words
from tests.cli.place import Place, as_files, call, environment, manifest, workflow

AGE = re.compile(r"\b\d+s\b")
SECOND = workflow("billing", team="billing")


def test_get_shows_one_object_as_json_without_managed_fields(place: Place) -> None:
    place.make(workflow())
    shown = json.loads(call("get", "workflow", "support", "-o", "json").stdout)
    assert shown["metadata"]["name"] == "support"
    assert "managedFields" not in shown["metadata"]


def test_get_of_several_is_a_list(place: Place) -> None:
    place.make(workflow(), SECOND)
    shown = yaml.safe_load(call("get", "workflows", "-o", "yaml").stdout)
    assert shown["kind"] == "List"
    assert [item["kind"] for item in shown["items"]] == ["Workflow", "Workflow"]


def test_get_prints_names(place: Place) -> None:
    place.make(workflow(), environment())
    result = call("get", "workflow/support", "environment/production", "-o", "name")
    assert result.stdout == "workflow.sluice.dev/support\nenvironment.sluice.dev/production\n"


def test_get_all_shows_each_kind_that_has_objects(place: Place) -> None:
    place.make(workflow(), environment())
    lines = call("get", "sluice").stdout.splitlines()
    assert [line.split()[0] for line in lines if line] == [
        "NAME",
        "workflow.sluice.dev/support",
        "NAME",
        "environment.sluice.dev/production",
    ]


def test_get_chooses_by_labels(place: Place) -> None:
    place.make(workflow(), manifest("Workflow", "billing", SECOND["spec"], labels={"team": "billing"}))
    assert call("get", "workflows", "-l", "team=billing", "-o", "name").stdout == "workflow.sluice.dev/billing\n"


def test_nothing_found_is_said_beside_the_result(place: Place) -> None:
    result = call("get", "workflows")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No resources found in default namespace.\n")


def test_a_missing_object_fails_in_the_servers_words(place: Place) -> None:
    result = call("get", "workflow", "nope")
    assert (result.exit_code, result.stderr) == (1, 'error: workflows.sluice.dev "nope" not found\n')


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gizmos"], "there is no kind 'gizmos'; there are workflows"),
        (["workflows,environments", "a"], "names go with one kind"),
        (["workflow/a", "b"], "'b': where one is written as KIND/NAME, all are"),
    ],
)
def test_words_that_make_no_sense_are_wrong_input(words: list[str], message: str) -> None:
    with pytest.raises(Wrong, match=message):
        parse_words(words)


def test_names_and_choices_exclude_each_other(place: Place) -> None:
    assert call("get", "workflow", "support", "-A").exit_code == 2
    assert call("get", "workflow", "support", "-l", "a=b").exit_code == 2


def test_apply_creates_then_changes_then_leaves_alone(place: Place, tmp_path: Path) -> None:
    folder = str(as_files(tmp_path / "manifests", workflow(), environment()))
    assert call("apply", "-f", folder).stdout == (
        "workflow.sluice.dev/support created\nenvironment.sluice.dev/production created\n"
    )
    as_files(tmp_path / "manifests", workflow(team="support"), environment())
    assert call("apply", "-f", folder).stdout == (
        "workflow.sluice.dev/support configured\nenvironment.sluice.dev/production unchanged\n"
    )
    assert place.get(WORKFLOW, "support")["spec"]["team"] == "support"


def test_apply_reads_stdin(place: Place) -> None:
    result = call("apply", "-f", "-", "-o", "name", input=yaml.safe_dump(workflow()))
    assert (result.exit_code, result.stdout) == (0, "workflow.sluice.dev/support\n")


def test_apply_sends_nothing_when_one_manifest_is_wrong(place: Place, tmp_path: Path) -> None:
    folder = as_files(tmp_path / "manifests", environment(), workflow(owner="nobody"))
    result = call("apply", "-f", str(folder))
    assert result.exit_code == 2
    assert f"{folder}/all.yaml:" in result.stderr
    assert "spec.owner" in result.stderr
    assert place.all(WORKFLOW) == []


def test_wide_prints_no_objects_where_there_is_no_table(place: Place) -> None:
    result = call("apply", "-f", "-", "-o", "wide", input=yaml.safe_dump(workflow()))
    assert result.stdout == "workflow.sluice.dev/support created\n"


def test_a_dry_run_stores_nothing(place: Place, tmp_path: Path) -> None:
    folder = as_files(tmp_path / "manifests", workflow())
    assert call("apply", "-f", str(folder), "--dry-run").stdout == "workflow.sluice.dev/support created (dry run)\n"
    assert place.all(WORKFLOW) == []


def test_a_field_that_somebody_else_applied_is_a_conflict_until_it_is_taken_over(place: Place, tmp_path: Path) -> None:
    place.store.apply(workflow(team="one"), manager="sluice-git/main")
    folder = str(as_files(tmp_path / "manifests", workflow(team="two")))
    refused = call("apply", "-f", folder)
    assert refused.exit_code == 1
    assert 'conflict with "sluice-git/main"' in refused.stderr
    assert call("apply", "-f", folder, "--force-conflicts").exit_code == 0
    assert place.get(WORKFLOW, "support")["spec"]["team"] == "two"


def test_delete_takes_names_files_and_selectors(place: Place, tmp_path: Path) -> None:
    place.make(workflow(), SECOND, manifest("Workflow", "third", SECOND["spec"], labels={"old": "yes"}))
    assert call("delete", "workflow", "support").stdout == 'workflow.sluice.dev "support" deleted\n'
    assert call("delete", "-f", str(as_files(tmp_path / "gone", SECOND))).exit_code == 0
    assert call("delete", "workflows", "-l", "old=yes").exit_code == 0
    assert place.all(WORKFLOW) == []


def test_delete_wants_to_know_what(place: Place) -> None:
    place.make(workflow())
    assert call("delete").exit_code == 2
    refused = call("delete", "workflows")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "error: name the workflows to delete, or choose them with -l, or say --all\n",
    )
    assert len(place.all(WORKFLOW)) == 1


def test_kinds_of_kubernetes_are_served_too(place: Place) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1"}}
    assert call("apply", "-f", "-", input=yaml.safe_dump(config)).stdout == "configmap/settings created\n"
    assert place.get(CONFIG_MAP, "settings")["data"] == {"a": "1"}
