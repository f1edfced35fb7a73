"""The images of a test cluster, made without a container engine and without a registry.

``python -m tests.cluster.images FOLDER`` writes all of them there as OCI archives, for ``ctr images import``.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from tests.cluster.archive import Image, write_archive
from tests.cluster.build import program
from tests.cluster.installation import ROOT
from tests.cluster.layers import HOME, USER, busybox_layer, debian_layer, dependencies_layer, sluice_layer
from tests.cluster.node_files import PAUSE

BUSYBOX = "docker.io/library/busybox:1.36"
"""An image that somebody else made, for containers of steps; Debian's busybox under the name that people know."""
SEARCHED = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def sluice_name() -> str:
    """The full name of Sluice's own image, with this repository's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"ghcr.io/sluice-dev/sluice:{project['version']}"


def sluice_image(folder: Path) -> Path:
    """The controller and the runner, as this work tree has them, on Debian's Python; written into the folder."""
    image = Image(
        sluice_name(),
        (debian_layer(), dependencies_layer(), sluice_layer()),
        entrypoint=("sluice",),
        user=f"{USER}:{USER}",
        environment={"PATH": f"/{HOME}/bin:{SEARCHED}", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
    )
    return _written(folder / "sluice.oci.tar", image)


def busybox_image(folder: Path) -> Path:
    """A shell and the usual commands; written into the folder."""
    return _written(folder / "busybox.oci.tar", Image(BUSYBOX, (busybox_layer(),), command=("sh",)))


def pause_image(folder: Path) -> Path:
    """What holds a pod's namespaces; written into the folder."""
    with tempfile.TemporaryDirectory() as made:
        layer = Path(made) / "layer.tar"
        with tarfile.open(layer, "w") as tar:
            tar.add(program("pause"), "pause")
        image = Image(PAUSE, (layer,), entrypoint=("/pause",), user="65535:65535")
        return _written(folder / "pause.oci.tar", image)


def _written(archive: Path, image: Image) -> Path:
    write_archive(archive, image)
    return archive


if __name__ == "__main__":
    for write in (pause_image, busybox_image, sluice_image):
        sys.stdout.write(f"{write(Path(sys.argv[1]))}\n")
