"""The images of a test cluster, made without a container engine and without a registry.

``python -m tests.cluster.images FOLDER`` writes all of them there as OCI archives, for ``ctr images import``.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from tests.cluster.archive import Image, write_archive
from tests.cluster.installation import ROOT
from tests.cluster.layers import (
    HOME,
    USER,
    busybox_layer,
    debian_layer,
    dependencies_layer,
    program_layer,
    sluice_layer,
)
from tests.cluster.node_files import PAUSE

BUSYBOX = "docker.io/library/busybox:1.36"
"""An image that somebody else made, for containers of steps; Debian's busybox under the name that people know."""
COREDNS = "sluice.dev/coredns:latest"
SEARCHED = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def sluice_name() -> str:
    """The full name of Sluice's own image, with this repository's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"ghcr.io/sluice-dev/sluice:{project['version']}"


def sluice() -> Image:
    """The controller and the runner, as this work tree has them, on Debian's Python."""
    return Image(
        sluice_name(),
        (*base().layers, sluice_layer()),
        entrypoint=("sluice",),
        user=f"{USER}:{USER}",
        environment={"PATH": f"/{HOME}/bin:{SEARCHED}", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
    )


def base() -> Image:
    """What Sluice's image stands on; it changes only with what Sluice depends on."""
    return Image("sluice.dev/base:latest", (debian_layer(), dependencies_layer()))


def busybox() -> Image:
    """A shell and the usual commands."""
    return Image(BUSYBOX, (busybox_layer(),), command=("sh",))


def pause() -> Image:
    """What holds a pod's namespaces."""
    return Image(PAUSE, (program_layer("pause"),), entrypoint=("/pause",), user="65535:65535")


def coredns() -> Image:
    """The cluster's DNS server, where it is a pod."""
    return Image(COREDNS, (program_layer("coredns"),), entrypoint=("/coredns",))


if __name__ == "__main__":
    for image in (pause(), busybox(), sluice()):
        archive = Path(sys.argv[1]) / f"{image.name.rsplit('/', 1)[1].replace(':', '-')}.tar"
        write_archive(archive, image)
        sys.stdout.write(f"{image.name} {archive}\n")
