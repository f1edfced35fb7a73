"""`sluice install`: one stream of what was chosen, and nothing else on stdout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.manifests import Overlay, Settings, installed
from tests.cli.place import call
from tests.manifests.reading import by_identity, read


@pytest.mark.parametrize("overlay", Overlay)
def test_the_stream_holds_the_objects_of_the_overlay(overlay: Overlay) -> None:
    printed = call("install", "--overlay", overlay.value)
    assert printed.exit_code == 0
    assert read(printed.stdout) == by_identity(installed(Settings(overlay=overlay)))


def test_each_option_changes_what_it_names() -> None:
    words = ["--namespace", "tools", "--image", "example.com/s:1", "--launch-in", "red", "--launch-in", "blue"]
    printed = call("install", *words, "--webhook", "--pod-monitor", "--default-environment")
    chosen = Settings(
        namespace="tools",
        image="example.com/s:1",
        launch_in=("red", "blue"),
        webhook=True,
        pod_monitor=True,
        default_environment=True,
    )
    assert read(printed.stdout) == by_identity(installed(chosen))


def test_a_ledger_that_others_keep_is_asked_for_on_stderr() -> None:
    told = "Secret sluice-ledger in namespace tools has the ledger's URL as its key url"
    assert told in call("install", "--overlay", "ha", "-n", "tools").stderr


def test_what_kubectl_can_not_do_at_once_is_told_on_stderr() -> None:
    assert "on a new cluster apply it twice" in call("install", "--default-environment").stderr
    assert call("install").stderr == ""


@pytest.mark.parametrize("words", [["-n", "A_b"], ["--launch-in", "ok", "--launch-in", "-no"], ["--overlay", "huge"]])
def test_what_can_not_be_is_refused_before_anything_is_printed(words: list[str]) -> None:
    refused = call("install", *words)
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_it_needs_no_repository(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "sluice", "install", "--overlay", "ha"]
    done = subprocess.run(
        program, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert read(done.stdout) == by_identity(installed(Settings(overlay=Overlay.HA)))
    assert os.listdir(tmp_path) == []
