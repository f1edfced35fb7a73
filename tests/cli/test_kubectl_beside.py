"""With the real kubectl beside it: the same tables, and found as its plugin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.place import Place, call, workflow

AGE = re.compile(r"\b\d+s\b")
SCRIPTS = Path(sys.executable).parent
SECOND = workflow("billing", team="billing")


def kubectl(place: Place, tmp_path: Path, *words: str) -> str:
    environ = {**os.environ, "KUBECONFIG": str(tmp_path / ".sluice" / "kubeconfig")}
    command = ["kubectl", "--cache-dir", str(tmp_path / "cache"), *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("words", [["get", "workflows"], ["get", "workflows", "-o", "wide"], ["get", "wf", "-A"]])
def test_get_prints_what_kubectl_prints(place: Place, tmp_path: Path, words: list[str]) -> None:
    place.make(workflow(), SECOND)
    words = ["slwf" if word == "wf" else word for word in words]
    lines = [AGE.sub("AGE", line) for line in call(*words).stdout.splitlines()]
    assert lines == [AGE.sub("AGE", line.rstrip()) for line in kubectl(place, tmp_path, *words).splitlines()]
    assert [line.split()[0] for line in lines[1:]] in (["billing", "support"], ["default", "default"])


def test_kubectl_finds_it_as_a_plugin() -> None:
    environ = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["kubectl", "sluice", "run", "--help"], env=environ, capture_output=True, text=True, check=True
    )
    assert "Usage: kubectl sluice run" in done.stdout
