"""The environment of a runner pod, and what is said where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.runner.settings import BadEnvironment, read_settings

GOOD = {
    "SLUICE_URL": "https://sluice-controller.sluice-system.svc:8443/",
    "SLUICE_SERVER_NAME": "sluice-controller.sluice-system.svc",
    "SLUICE_CA": "-----BEGIN CERTIFICATE-----\n...",
    "SLUICE_RUN": "f3a",
    "SLUICE_UNIT": "step/a b",
    "SLUICE_EPOCH": "12",
    "SLUICE_TOKEN_FILE": "/var/run/secrets/sluice.dev/token",
}
WRONG = [(name, "") for name in (*GOOD, "SLUICE_SCRATCH")] + [
    ("SLUICE_URL", "http://h:1"),
    ("SLUICE_CA", "trust me"),
    ("SLUICE_EPOCH", "-1"),
    ("SLUICE_EPOCH", "one"),
    ("SLUICE_SCRATCH", "/nowhere"),
    ("SLUICE_SCRATCH", "/etc/passwd"),
]


def test_the_environment_is_read(tmp_path: Path) -> None:
    settings = read_settings(GOOD | {"SLUICE_SCRATCH": str(tmp_path)})
    assert settings.url == "https://sluice-controller.sluice-system.svc:8443"
    assert settings.epoch == 12
    assert settings.path == "/runner/v1/segments/f3a/step%2Fa%20b/12"


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value}" for name, value in WRONG])
def test_a_variable_that_is_wrong_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadEnvironment, match=name):
        read_settings(GOOD | {"SLUICE_SCRATCH": str(tmp_path)} | {name: value})
