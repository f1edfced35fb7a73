"""Writes container images as OCI archives, without a container engine: a tar file of JSON and of layers that are there."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEDIA = "application/vnd.oci.image"
CHUNK = 1 << 20
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Layer:
    """An uncompressed tar file, and its digest (``sha256:...``)."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image to be: its full name with a tag, its layers from the lowest up, and how it starts."""

    name: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"


def digest_of(path: Path) -> str:
    """The digest of a file's content."""
    content = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            content.update(chunk)
    return f"sha256:{content.hexdigest()}"


def write_archive(path: Path, image: Image, *, known: frozenset[str] = frozenset()) -> None:
    """For ``ctr images import``. Layers whose digests are ``known`` where it goes are named and left out."""
    with tarfile.open(path, "w") as archive:
        for layer in image.layers:
            if layer.digest not in known:
                archive.add(layer.path, _blob(layer.digest))
        layers = [_described(f"{MEDIA}.layer.v1.tar", one.digest, one.path.stat().st_size) for one in image.layers]
        config = {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {
                "Entrypoint": list(image.entrypoint) or None,
                "Cmd": list(image.command) or None,
                "User": image.user,
                "Env": [f"{name}={value}" for name, value in image.environment.items()],
                "WorkingDir": image.workdir,
            },
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": _json(archive, config, f"{MEDIA}.config.v1+json"),
            "layers": layers,
        }
        described = _json(archive, manifest, f"{MEDIA}.manifest.v1+json")
        described["annotations"] = {"io.containerd.image.name": image.name}
        index = {"schemaVersion": 2, "manifests": [described]}
        _add(archive, "index.json", json.dumps(index).encode())
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _json(archive: tarfile.TarFile, value: dict[str, Any], media_type: str) -> dict[str, Any]:
    content = json.dumps(value, sort_keys=True).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _add(archive, _blob(digest), content)
    return _described(media_type, digest, len(content))


def _described(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
