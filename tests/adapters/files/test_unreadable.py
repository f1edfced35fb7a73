"""Folders and files that this process may not read. Tests may run as root, who may read everything, so a child without
its rights does the reading."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_input.case import PY, steps

NOBODY = 65534
READ = """
import os, sys
from sluice.adapters.files.manifests import check_directory
check_directory(sys.argv[1])  # everything is imported while this process may still read it
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})
for finding in check_directory(sys.argv[1]).findings:
    print(finding)
"""


def findings_without_rights(folder: Path) -> list[str]:
    child = subprocess.run(
        [sys.executable, "-c", READ.format(nobody=NOBODY), str(folder)], capture_output=True, text=True, check=False
    )
    assert child.stderr == ""
    return child.stdout.splitlines()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may enter, as pytest's own are not, with one good manifest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        (Path(name) / "good.yaml").write_text(steps(f"name: a, {PY}"))
        yield Path(name)


def test_a_folder_without_read_permission_is_named(folder: Path) -> None:
    (folder / "closed").mkdir()
    (folder / "closed").chmod(0o000)
    try:
        lines = findings_without_rights(folder)
    finally:
        (folder / "closed").chmod(0o755)
    assert lines == ["closed: the folder can't be read: permission denied; give access to it or move it away"]


def test_a_file_without_read_permission_is_named(folder: Path) -> None:
    (folder / "closed.yaml").write_text("a: 1")
    (folder / "closed.yaml").chmod(0o000)
    assert findings_without_rights(folder) == [
        "closed.yaml: the file can't be read: permission denied; give access to it or move it away"
    ]


def test_code_without_read_permission_is_named(folder: Path) -> None:
    (folder / "t.py").write_text("output = 1")
    (folder / "t.py").chmod(0o000)
    (folder / "good.yaml").write_text(steps("name: a, action: {python: {file: t.py}}"))
    (line,) = findings_without_rights(folder)
    assert line.startswith(
        "good.yaml:8: spec.definition.steps[0].action.python.file: t.py can't be read: Permission denied"
    )


def test_a_pipe_is_no_manifest(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    assert findings_without_rights(folder) == ["pipe.yaml: this is no file; remove it"]
