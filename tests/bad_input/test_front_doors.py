"""The table at the doors that people use: `sluice check`, and the Kubernetes protocol (DESIGN 2, rule 13)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluice.cli.main import app
from tests.bad_input.case import workflow
from tests.bad_input.cases import CASES, Case, write_files
from tests.bad_input.server import GOOD, BadObject, Door, bad_objects

NAMES = [case.name for case in CASES]
OBJECTS = bad_objects(CASES)

AS_NOBODY = """
import os, sys
from sluice.adapters.files.manifests import check_directory
from sluice.cli import authoring, main
check_directory("/nowhere")
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.argv = ["sluice", "check", sys.argv[1]]
main.main()
"""
"""`sluice check` by somebody whom file modes hold back. Modules come first: Python itself may lie where they can't look."""


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_check_prints_one_line_and_ends_with_two(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["check", "."], prog_name="sluice")
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr, len(lines)) == (2, "", 1), result.output
    assert case.matches(lines[0]), lines[0]


@pytest.mark.parametrize(("name", "mode"), [("sub", 0o000), ("sub", stat.S_IXUSR), ("sub/workflow.yaml", 0o000)])
def test_what_nobody_may_read_is_named_and_not_passed_over(name: str, mode: int, tmp_path: Path) -> None:
    """Passing it over would prune what is in it."""
    folder = tmp_path / "flows"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "workflow.yaml").write_text(workflow("steps: [{name: a, action: {python: {code: output = 1}}}]"))
    for path in [tmp_path, *tmp_path.parents]:
        if path.stat().st_uid == os.getuid() and path != Path("/tmp"):
            path.chmod(0o755)
    (folder / name).chmod(mode)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(folder)],
            capture_output=True,
            text=True,
            cwd="/",
            timeout=60,
            check=False,
        )
    finally:
        (folder / name).chmod(0o755)
    (line,) = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (2, "")
    assert line.startswith(f"{folder}/{name}: ")
    assert "can't be read: permission denied; give access to it or move it away" in line


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.close()


def test_most_of_the_table_are_objects_that_can_be_sent() -> None:
    assert len(OBJECTS) >= 150


@pytest.mark.parametrize("bad", OBJECTS, ids=[bad.case.name for bad in OBJECTS])
def test_the_server_refuses_the_object_and_stores_nothing(bad: BadObject, door: Door) -> None:
    before = door.everything()
    answer = door.create(bad.obj)
    assert bad.is_named_by(answer), answer.text
    if bad.obj.get("metadata", {}).get("name"):
        applied = door.apply(bad.obj)
        assert bad.is_named_by(applied), applied.text
    assert door.everything() == before


@pytest.mark.parametrize(
    "bad", [bad for bad in OBJECTS if bad.name == "hello" and bad.obj["kind"] in GOOD], ids=lambda bad: bad.case.name
)
def test_what_is_there_stays_as_it_is_when_it_is_replaced_by_something_bad(bad: BadObject, door: Door) -> None:
    with door.standing(bad.kind) as before:
        answer = door.replace(before, bad.obj)
        assert bad.is_named_by(answer), answer.text
        assert door.get(bad.kind, "hello") == before
