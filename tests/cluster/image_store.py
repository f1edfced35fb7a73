"""What containerd of a new node starts with: images that never change, unpacked once for all nodes of this machine.

Layers that are unpacked are only ever read, so a node gets them as hard links; it copies just the databases.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.archive import Image
from tests.cluster.build import cache_folder, program

DATABASES = "*/*.db"


def template_of(images: Iterable[Image]) -> Path:
    """Where the unpacked images are, or will be; another folder for other layers or another containerd."""
    content = hashlib.sha256(program("containerd").parent.name.encode())
    for image in images:
        content.update(repr((image.name, [layer.digest for layer in image.layers])).encode())
    return cache_folder() / "image-stores" / content.hexdigest()[:16]


def copy_store(source: Path, target: Path) -> None:
    """The same store again, at once or not at all; nobody may be using the source. Linked, where both are on one disk.

    Whoever comes second with the same target has nothing to do.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unfinished-") as made:
        unfinished = Path(made) / "store"
        linked = source.stat().st_dev == target.parent.stat().st_dev
        subprocess.run(["cp", "--archive", *(["--link"] if linked else []), source, unfinished], check=True)
        for database in unfinished.glob(DATABASES):
            database.unlink()
            shutil.copy2(source / database.relative_to(unfinished), database)
        try:
            unfinished.rename(target)
        except OSError:
            if not target.exists():
                raise
