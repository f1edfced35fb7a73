"""The arguments of a runner pod, and what is said where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.runner.settings import BadArgument, read_settings

GOOD = {
    "url": "https://sluice-controller.sluice-system.svc:8443/",
    "server-name": "sluice-controller.sluice-system.svc",
    "ca": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    "run": "f3a",
    "unit": "step/a b",
    "epoch": "12",
    "token-file": "/var/run/secrets/sluice.dev/token",
}
WRONG = [(name, "") for name in (*GOOD, "scratch")] + [
    ("url", "http://h:1"),
    ("ca", "trust me"),
    ("epoch", "-1"),
    ("epoch", "one"),
    ("scratch", "/nowhere"),
    ("scratch", "/etc/passwd"),
]


def words(folder: Path, **changed: str) -> list[str]:
    return [f"--{name}={value}" for name, value in (GOOD | {"scratch": str(folder)} | changed).items()]


def test_the_arguments_are_read(tmp_path: Path) -> None:
    settings = read_settings(words(tmp_path))
    assert settings.url == "https://sluice-controller.sluice-system.svc:8443"
    assert settings.authority == GOOD["ca"], "a value may have the sign in it that ends the name"
    assert settings.epoch == 12
    assert settings.path == "/runner/v1/segments/f3a/step%2Fa%20b/12"


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value}" for name, value in WRONG])
def test_an_argument_that_is_wrong_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=f"--{name}"):
        read_settings(words(tmp_path, **{name: value}))


@pytest.mark.parametrize("word", ["--speed=high", "--speed", "run=f3a", "f3a", ""])
def test_what_this_release_does_not_know_is_told_with_what_it_knows(word: str, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"no argument that this release knows; it is told --url, --server-name, "):
        read_settings([*words(tmp_path), word])
