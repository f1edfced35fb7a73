from __future__ import annotations

from pathlib import Path

import pytest

from sluice.api.kinds import WORKFLOW
from tests.cli.place import Place, as_files, call, environment, manifest, workflow


def test_nothing_to_do_ends_with_zero(place: Place, tmp_path: Path) -> None:
    folder = as_files(tmp_path / "flows", environment())
    call("apply", "-f", str(folder))
    result = call("diff", str(folder))
    assert (result.exit_code, result.stdout) == (0, "0 created, 0 changed, 1 unchanged\n")


def test_changes_end_with_one_and_nothing_is_stored(place: Place, tmp_path: Path) -> None:
    call("apply", "-f", str(as_files(tmp_path / "flows", environment(), workflow())))
    folder = as_files(tmp_path / "flows", environment(description="where it runs"), workflow("billing"))
    result = call("diff", str(folder))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "~ environment.sluice.dev/production changed",
        "    spec.description: where it runs (new)",
        "+ workflow.sluice.dev/billing created",
        "    is published as v1",
        "    step hello is added",
        "    takes all runs: there is no version before it",
        "1 created, 1 changed, 0 unchanged",
    ]
    assert [obj["metadata"]["name"] for obj in place.all(WORKFLOW)] == ["support"]
    assert call("diff", str(folder), "--exit-zero").exit_code == 0


def test_invalid_manifests_end_with_two(place: Place, tmp_path: Path) -> None:
    folder = as_files(tmp_path / "flows", workflow(owner="nobody"))
    result = call("diff", str(folder))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "spec.owner" in result.stderr


def test_a_changed_draft_tells_which_version_it_becomes(place: Place, tmp_path: Path) -> None:
    folder = as_files(tmp_path / "flows", workflow())
    call("apply", "-f", str(folder))
    place.publish(1, 2)
    step = {"name": "hello", "action": {"python": {"code": "output = 3"}}}
    rollout = manifest("Rollout", "support", {"steps": [{"percent": 5, "pause": {}}, {"percent": 100}]})
    as_files(tmp_path / "flows", workflow(definition={"steps": [step]}), rollout)
    lines = call("diff", str(folder)).stdout.splitlines()
    assert "    is published as v3" in lines
    assert "    step hello changes: action" in lines
    assert "    takes runs by steps: 5 % (until advanced), 100 %" in lines


def test_a_field_left_out_of_git_is_compared_in_the_sources_name(place: Place, tmp_path: Path) -> None:
    place.store.apply(environment(description="old"), manager="sluice-git/main")
    lines = call("diff", str(as_files(tmp_path / "flows", environment()))).stdout.splitlines()
    assert lines[1] == "    spec.description: old -> (removed)"


def test_what_people_hold_is_told_although_nothing_changes(place: Place, tmp_path: Path) -> None:
    state = manifest("EnvironmentState", "support.production", {"state": "Active"})
    folder = str(as_files(tmp_path / "flows", workflow(), environment(), state))
    call("apply", "-f", folder)
    call("deactivate", "support", "--env", "production", "--reason", "5xx")
    held = {"type": "HeldByHand", "status": "True", "reason": "HeldByHand", "message": "hold of v2 by ben"}
    place.report(WORKFLOW, "support", rollout={"conditions": [held]})
    shown = call("diff", folder).stdout
    assert "switched off by ana-example-com (5xx); `sluice activate support --env production` ends it" in shown
    assert "    hold of v2 by ben" in shown


def test_markdown_is_for_pull_requests(place: Place, tmp_path: Path) -> None:
    place.make(environment(description="old"))
    result = call("diff", str(as_files(tmp_path / "flows", environment(description="new"))), "-o", "markdown")
    assert result.stdout.splitlines() == [
        "### Sluice: 0 created, 1 changed, 0 unchanged",
        "",
        "- **environment.sluice.dev/production** changed",
        "  - `spec.description: old -> new`",
    ]


def test_objects_of_a_namespace_that_is_not_there_yet_are_created(place: Place, tmp_path: Path) -> None:
    fresh = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}}
    inside = workflow()
    inside["metadata"]["namespace"] = "fresh"
    result = call("diff", str(as_files(tmp_path / "flows", fresh, inside)))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "2 created, 0 changed, 0 unchanged")


@pytest.mark.parametrize("words", [["main..HEAD"], [".", "main..HEAD"], [".", "--offline"]])
def test_commits_are_not_compared_and_that_is_said(words: list[str]) -> None:
    result = call("diff", *words)
    assert result.exit_code == 2
    assert "comparing commits (A..B, --offline) is not part of this release" in result.stderr
