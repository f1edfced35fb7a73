"""Building a cluster's programs: versions are pinned, only what is needed is built, and what is missing is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import families
from tests.cluster.build import CACHE_VARIABLE, main
from tests.cluster.families import CONTROL_PLANE, FAMILIES, Family, family_of

GO = """\
#!/bin/sh
while [ "$1" != -o ]; do shift; done
made=$2; shift 2
for package; do touch "$made/$(basename "${package%/v3}")"; done
"""
"""Makes an empty program of each package that it is asked for."""


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def toolchain(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """What runs as ``go``."""
    go = folder / "go"
    go.write_text(script)
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_missing_toolchain_is_a_failure_that_says_what_to_do(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(empty_cache))
    assert main([]) == 1
    said = capsys.readouterr().err
    assert "there is no `go` on the PATH: install Go" in said
    assert "SLUICE_TEST_KUBECONFIG" in said


def test_a_build_that_fails_shows_why_and_leaves_nothing(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toolchain(tmp_path, monkeypatch, "#!/bin/sh\necho no space left >&2\nexit 1\n")
    assert main([]) == 1
    assert "no space left" in capsys.readouterr().err
    assert [path.name for path in empty_cache.glob("*/*")] == [".lock"]


def test_what_is_needed_is_built_once_and_nothing_else(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toolchain(tmp_path, monkeypatch, GO)
    assert main([]) == 0
    built = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in built] == list(CONTROL_PLANE)
    assert {path.name for path in empty_cache.glob("*/[!.]*")} == set(CONTROL_PLANE)
    monkeypatch.setenv("PATH", "")
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == built


def test_a_program_that_nobody_builds_is_told_with_those_that_there_are(
    empty_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kublet"]) == 1
    assert "nothing here builds kublet; what there is: etcd, kube-apiserver" in capsys.readouterr().err


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.name))
def test_every_version_is_pinned_and_another_one_is_another_cache(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert family.version.startswith("v") or not family.module
    before = family.digest
    (tmp_path / family.name).mkdir()
    for path in family.folder.iterdir():
        (tmp_path / family.name / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(families, "TOOLS", tmp_path)
    assert family.digest == before
    versions = tmp_path / family.name / "go.mod"
    versions.write_text(versions.read_text() + "\n")
    assert family.digest != before


def test_every_program_of_a_control_plane_has_a_family() -> None:
    assert all(family_of(name) for name in CONTROL_PLANE)
