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
class Image:
    """An image to be: its full name with a tag, its layers from the lowest up (uncompressed tar files), how it starts."""

    name: str
    layers: tuple[Path, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"


def write_archive(path: Path, image: Image) -> None:
    """For ``ctr images import``."""
    with tarfile.open(path, "w") as archive:
        layers = [_layer(archive, layer) for layer in image.layers]
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


def _layer(archive: tarfile.TarFile, path: Path) -> dict[str, Any]:
    content = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            content.update(chunk)
    digest = content.hexdigest()
    archive.add(path, f"blobs/sha256/{digest}")
    return {"mediaType": f"{MEDIA}.layer.v1.tar", "digest": f"sha256:{digest}", "size": path.stat().st_size}


def _json(archive: tarfile.TarFile, value: dict[str, Any], media_type: str) -> dict[str, Any]:
    content = json.dumps(value, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    _add(archive, f"blobs/sha256/{digest}", content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
