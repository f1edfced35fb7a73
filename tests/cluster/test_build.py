"""Building the control plane: versions are pinned, and what is missing is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import build
from tests.cluster.build import CACHE_VARIABLE, FAMILIES, cache_folder, main


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_missing_toolchain_is_a_failure_that_says_what_to_do(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(empty_cache))
    assert main() == 1
    said = capsys.readouterr().err
    assert "there is no `go` on the PATH: install Go" in said
    assert "SLUICE_TEST_KUBECONFIG" in said


def test_a_build_that_fails_shows_why_and_leaves_nothing(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main() == 1
    assert "no space left" in capsys.readouterr().err
    assert [path.name for path in empty_cache.iterdir()] == [".lock"]


def test_what_is_built_is_not_built_again(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty_cache.mkdir()
    for family in FAMILIES:
        for name in family.packages:
            (empty_cache / name).touch()
    monkeypatch.setenv("PATH", "")
    assert main() == 0
    assert capsys.readouterr().out == f"{empty_cache}\n"


def test_every_version_is_pinned_and_another_one_is_another_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert all(family.version.startswith("v") for family in FAMILIES)
    before = cache_folder()
    for family in FAMILIES:
        (tmp_path / family.name).mkdir()
        for name in ("go.mod", "go.sum"):
            (tmp_path / family.name / name).write_bytes((family.folder / name).read_bytes())
    monkeypatch.setattr(build, "TOOLS", tmp_path)
    assert cache_folder() == before
    sums = tmp_path / "etcd" / "go.sum"
    sums.write_text(sums.read_text() + "\n")
    assert cache_folder() != before
