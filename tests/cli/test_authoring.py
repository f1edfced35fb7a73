from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place, as_files, call, workflow


def test_the_first_manifest_passes_its_own_check_and_tests(tmp_path: Path) -> None:
    path = tmp_path / "hello.yaml"
    assert call("new", "hello", "--file", str(path), "--owner", "ana@example.com").exit_code == 0
    checked = call("check", str(tmp_path))
    assert (checked.exit_code, checked.stdout, checked.stderr) == (0, "", "1 object is valid\n")
    assert call("test", str(tmp_path)).exit_code == 0


def test_the_first_manifest_is_accepted_by_a_server(place: Place) -> None:
    text = call("new", "hello").stdout
    assert yaml.safe_load(text)["metadata"] == {"name": "hello"}
    assert call("apply", "-f", "-", input=text).stdout == "workflow.sluice.dev/hello created\n"


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hello.yaml"
    path.write_text("mine")
    result = call("new", "hello", "-f", str(path))
    assert (result.exit_code, path.read_text()) == (1, "mine")
    assert "is there already" in result.stderr


@pytest.mark.parametrize("name", ["Hello", "a_b", "-a", "a" * 41, ""])
def test_a_name_that_no_workflow_may_have_is_wrong_input(name: str) -> None:
    result = call("new", "--", name)
    assert result.exit_code == 2
    assert "is no name of a workflow" in result.stderr


def test_everything_wrong_is_told_with_file_line_and_field(tmp_path: Path) -> None:
    as_files(tmp_path / "flows", workflow(owner="nobody"), name="a.yaml")
    (tmp_path / "flows" / "b.yaml").write_text("a: [")
    result = call("check", str(tmp_path / "flows"))
    assert (result.exit_code, result.stderr) == (2, "")
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{tmp_path}/flows/a.yaml:7: spec.owner: ")
    assert second.startswith(f"{tmp_path}/flows/b.yaml:2: this is no YAML")


def test_one_file_may_be_checked_with_what_stands_beside_it(tmp_path: Path) -> None:
    step = {"name": "hello", "action": {"python": {"file": "step.py"}}}
    as_files(tmp_path, workflow(definition={"steps": [step]}))
    missing = call("check", "all.yaml")
    assert (missing.exit_code, missing.stdout.startswith("all.yaml:")) == (2, True)
    (tmp_path / "step.py").write_text("output = 1\n")
    assert call("check", "all.yaml").exit_code == 0


def test_a_folder_without_manifests_is_wrong_input(tmp_path: Path) -> None:
    assert call("check", str(tmp_path)).stderr == f"error: there is no manifest in {tmp_path}\n"
    missing = call("check", str(tmp_path / "missing"))
    assert (missing.exit_code, "there is no such file or folder" in missing.stdout) == (2, True)
