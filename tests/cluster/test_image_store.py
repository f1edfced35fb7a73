"""A node gets what is unpacked as links, and databases of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.image_store import copy_store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """As containerd keeps it: databases beside layers."""
    for name in ("bolt/meta.db", "overlay/snapshots/1/fs/python"):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True)
        path.write_text("first")
    return tmp_path / "store"


def test_layers_are_linked_and_databases_are_copied(store: Path, tmp_path: Path) -> None:
    copy_store(store, tmp_path / "node" / "root")
    (tmp_path / "node" / "root" / "bolt" / "meta.db").write_text("second")
    assert (store / "bolt" / "meta.db").read_text() == "first"
    layer = Path("overlay/snapshots/1/fs/python")
    assert (tmp_path / "node" / "root" / layer).samefile(store / layer)


def test_whoever_comes_second_changes_nothing(store: Path, tmp_path: Path) -> None:
    copy_store(store, tmp_path / "templates" / "one")
    (store / "bolt" / "meta.db").write_text("second")
    copy_store(store, tmp_path / "templates" / "one")
    assert (tmp_path / "templates" / "one" / "bolt" / "meta.db").read_text() == "first"
    assert [path.name for path in (tmp_path / "templates").iterdir()] == ["one"]
