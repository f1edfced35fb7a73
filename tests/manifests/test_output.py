"""What is committed is what the program says, and anybody can make it again."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sluice import __version__
from sluice.crds.definitions import definitions
from sluice.manifests.__main__ import main
from sluice.manifests.output import HEADER, generated_files

ROOT = Path(__file__).parents[2]
BY_HAND = {"charts/sluice/values.yaml", "charts/sluice/values.schema.json"} | {
    f"charts/sluice/templates/{name}" for name in ("_helpers.tpl", "NOTES.txt")
}


@pytest.fixture(scope="module")
def generated() -> dict[Path, bytes]:
    return generated_files(ROOT)


def test_the_committed_files_are_up_to_date() -> None:
    assert main(["--check", "--root", str(ROOT)]) == 0


def test_a_file_that_was_edited_is_named_and_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    edited = tmp_path / "manifests" / "base" / "service.yaml"
    edited.write_text(edited.read_text() + "\n")
    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert "base/service.yaml is out of date; run: python -m sluice.manifests" in capsys.readouterr().err
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0


def test_generating_twice_gives_the_same_bytes(generated: dict[Path, bytes]) -> None:
    assert generated_files(ROOT) == generated


def test_nothing_lies_in_the_folders_that_nobody_makes(generated: dict[Path, bytes]) -> None:
    there = {path.relative_to(ROOT) for folder in ("manifests", "charts") for path in (ROOT / folder).rglob("*.*")}
    made = {path.relative_to(ROOT) for path in generated}
    assert {str(path) for path in there - made} == BY_HAND


def test_every_generated_file_says_so(generated: dict[Path, bytes]) -> None:
    assert all(text.startswith(HEADER.encode()) for text in generated.values())


def test_every_kustomization_names_files_that_are_there_and_none_is_left_out() -> None:
    for file in [*ROOT.glob("manifests/**/kustomization.yaml"), ROOT / "crds" / "Kustomization"]:
        resources = yaml.safe_load(file.read_text())["resources"]
        assert all((file.parent / name).exists() for name in resources), file
        beside = {path.name for path in file.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert beside <= set(resources), file
    assert sorted(path.name for path in (ROOT / "crds").glob("*.yaml")) == sorted(definitions())


def test_the_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((ROOT / "charts" / "sluice" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
