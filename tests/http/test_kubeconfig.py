"""The file that leads kubectl here."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig


def test_the_file_names_server_user_and_namespace(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kubeconfig"
    write_kubeconfig(path, Connection("https://127.0.0.1:7717", "support", "geheim", b"PEM"))
    config = yaml.safe_load(path.read_text())

    assert config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:7717",
        "certificate-authority-data": "UEVN",
    }
    assert config["users"][0]["user"] == {"token": "geheim"}
    assert config["contexts"][0]["context"]["namespace"] == "support"
    assert config["current-context"] == config["contexts"][0]["name"]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("old")
    path.chmod(0o644)
    write_kubeconfig(path, Connection("http://127.0.0.1:7717"))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["kubeconfig"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_kubeconfig(path, Connection("http://127.0.0.1:7717"))

    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["kubeconfig"]
