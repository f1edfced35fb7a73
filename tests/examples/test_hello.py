"""The first example through the program itself, and the demo that plays it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.served import EXAMPLES, PATIENCE, example, sluice


def test_hello_runs_by_one_command(tmp_path: Path) -> None:
    with example("hello", tmp_path) as served:
        served.await_live("hello")
        ended = json.loads(served.sluice("run", "hello", "--payload", '{"name": "Ana"}', "--wait", "-o", "json"))

    assert ended["status"]["outputs"] == {"text": "Hello, Ana!"}


def test_the_demo_is_as_it_says_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "v1  ############### 15\n  v2  ##### 5\n" in done.stdout
    assert "All of it was as said." in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_finds_other_numbers_fails(tmp_path: Path) -> None:
    story = (EXAMPLES / "demo.py").read_text().replace('{"v1": 15, "v2": 5}', '{"v1": 14, "v2": 6}')
    assert story != (EXAMPLES / "demo.py").read_text()
    changed = tmp_path / "demo.py"
    changed.write_text(story.replace("Path(__file__).resolve().parent", f"Path({str(EXAMPLES)!r})"))
    done = subprocess.run([sys.executable, changed], capture_output=True, text=True, timeout=PATIENCE * 3, check=False)

    assert done.returncode == 1
    assert "versions of the twenty runs: {'v1': 14, 'v2': 6} was said" in done.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_every_example_is_valid_passes_its_own_tests_and_has_a_readme(name: str) -> None:
    assert sluice("check", name, folder=EXAMPLES).returncode == 0
    played = sluice("test", name, folder=EXAMPLES)
    assert played.returncode == 0, played.stdout + played.stderr
    assert (EXAMPLES / name / "README.md").read_text().startswith("# ")
