"""Images as OCI archives: everything is found by its digest, and what is known where it goes is left out."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster.archive import Image, Layer, digest_of, write_archive
from tests.cluster.debian import PACKAGES, MissingPackage, need


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Layer, ...]:
    made = []
    for name in ("lower", "upper"):
        path = tmp_path / f"{name}.tar"
        with tarfile.open(path, "w") as tar:
            tar.addfile(tarfile.TarInfo(name))
        made.append(Layer(path, digest_of(path)))
    return tuple(made)


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        read = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read() for name, file in read.items() if file}


def test_an_archive_leads_from_its_index_to_every_layer(tmp_path: Path, layers: tuple[Layer, ...]) -> None:
    write_archive(tmp_path / "image.tar", Image("example.com/one:1", layers, user="65532", environment={"A": "b"}))
    found = contents(tmp_path / "image.tar")
    for name, content in found.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    (described,) = json.loads(found["index.json"])["manifests"]
    assert described["annotations"] == {"io.containerd.image.name": "example.com/one:1"}
    manifest = json.loads(found[f"blobs/{described['digest'].replace(':', '/')}"])
    assert [layer["digest"] for layer in manifest["layers"]] == [layer.digest for layer in layers]
    config = json.loads(found[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    assert config["rootfs"]["diff_ids"] == [layer.digest for layer in layers]
    assert (config["config"]["User"], config["config"]["Env"]) == ("65532", ["A=b"])


def test_a_layer_that_is_known_is_named_and_left_out(tmp_path: Path, layers: tuple[Layer, ...]) -> None:
    lower, upper = layers
    write_archive(tmp_path / "image.tar", Image("example.com/one:1", layers), known=frozenset({lower.digest}))
    found = contents(tmp_path / "image.tar")
    assert f"blobs/{lower.digest.replace(':', '/')}" not in found
    assert f"blobs/{upper.digest.replace(':', '/')}" in found


def test_what_is_missing_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "/nowhere/runc", "runc")
    monkeypatch.setitem(PACKAGES, "/nowhere/nft", "nftables")
    with pytest.raises(MissingPackage, match="apt-get install --yes nftables runc"):
        need("/nowhere/runc", "/nowhere/nft")
