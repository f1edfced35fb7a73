"""Builds the programs of a test cluster from their published sources, once, into a cache, and only those that are needed.

The cache folder of each family is named after the content of its module files, so a changed version is built anew and
an unchanged one never is. ``python -m tests.cluster.build [PROGRAM...]`` builds a control plane, or what is named, and
prints where each program is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cluster.families import CONTROL_PLANE, BuildError, Family, family_of

CACHE_VARIABLE = "SLUICE_CLUSTER_CACHE"
DETAILS = 4000
"""Characters of a failed build's output that are shown: its end says why."""


def cache_folder() -> Path:
    """Where everything is that is made once."""
    return Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "sluice-cluster")


def programs(*names: str) -> dict[str, Path]:
    """Where each program is; builds those that are missing. One process builds a family, others wait for it."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(family_of(name).name, []).append(name)
    return {name: path for wanted in families.values() for name, path in _of_family(wanted).items()}


def program(name: str) -> Path:
    """Where one program is; builds it if it is missing."""
    return programs(name)[name]


def _of_family(names: list[str]) -> dict[str, Path]:
    family = family_of(names[0])
    folder = cache_folder() / f"{family.name}-{family.digest}"
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: folder / name for name in names}
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = {name: family.packages[name] for name, path in found.items() if not path.exists()}
        if missing:
            _build(family, missing, folder)
    return found


def _build(family: Family, packages: dict[str, str], folder: Path) -> None:
    """Build into a folder beside the cache and move each program at once: an interrupted build leaves nothing."""
    go = shutil.which("go")
    if go is None:
        raise BuildError(
            f"the tests on a real API server need {', '.join(packages)}, built by the Go toolchain, and there is no `go` on "
            "the PATH: install Go 1.26 or newer (https://go.dev/dl), or point SLUICE_TEST_KUBECONFIG at a cluster"
        )
    _say(f"building {' '.join([*packages, family.version]).rstrip()}; this happens once")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as made:
        done = subprocess.run(
            [go, "build", *family.options, "-o", f"{made}/", *packages.values()],
            cwd=family.folder,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildError(f"`go build` of {', '.join(packages)} failed:\n{done.stderr[-DETAILS:]}")
        for name, package in packages.items():
            (Path(made) / _binary(package)).rename(folder / name)


def _binary(package: str) -> str:
    """What ``go build`` calls the program: the path's last part that is no major version."""
    return next(part for part in reversed(package.split("/")) if not re.fullmatch(r"v\d+", part))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(names: list[str]) -> int:
    """Build what is missing and print where it is."""
    try:
        for path in programs(*(names or CONTROL_PLANE)).values():
            sys.stdout.write(f"{path}\n")
    except BuildError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
