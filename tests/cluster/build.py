"""Builds the programs of a Kubernetes control plane from their published sources, once, into a cache.

Each family of programs is a Go module of its own under ``tools/``, because their dependencies disagree; its ``go.mod``
pins every version. The cache folder is named after the content of these files, so a changed version is built anew and
an unchanged one never is. ``python -m tests.cluster.build`` prints the folder.

Other programs (a scheduler, a kubelet, simulated nodes) are more families, or more packages of one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).parent / "tools"
CACHE_VARIABLE = "SLUICE_CLUSTER_CACHE"
DETAILS = 4000
"""Characters of a failed build's output that are shown: its end says why."""


@dataclass(frozen=True, slots=True)
class Family:
    """Programs of one Go module: ``packages`` maps a program's name to its import path."""

    name: str
    module: str
    packages: dict[str, str]
    version_variable: str = ""
    """The package that tells the programs their version, if they don't know it by themselves."""

    @property
    def folder(self) -> Path:
        """Where its module files are."""
        return TOOLS / self.name

    @property
    def version(self) -> str:
        """The pinned version, such as ``v1.36.3``."""
        pattern = rf"^(?:require )?\s*{re.escape(self.module)} (v\S+)"
        found = re.search(pattern, (self.folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise BuildError(f"{self.folder / 'go.mod'} requires no {self.module}: add it, with its version")
        return found[1]

    @property
    def linker_flags(self) -> str:
        """Small programs, which know their version."""
        if not self.version_variable:
            return "-s -w"
        major, minor, _ = self.version.removeprefix("v").split(".", 2)
        values = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
        return " ".join(["-s -w", *(f"-X {self.version_variable}.{name}={value}" for name, value in values.items())])


KUBERNETES = "k8s.io/kubernetes"
FAMILIES = (
    Family("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Family(
        "kubernetes",
        KUBERNETES,
        {name: f"{KUBERNETES}/cmd/{name}" for name in ("kube-apiserver", "kube-controller-manager", "kubectl")},
        version_variable="k8s.io/component-base/version",
    ),
)


class BuildError(Exception):
    """A program could not be built; the message says what to do."""


def cache_folder() -> Path:
    """Where this revision's programs are, or will be."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given)
    content = hashlib.sha256()
    for family in FAMILIES:
        content.update(repr(sorted(family.packages.items())).encode() + family.linker_flags.encode())
        for name in ("go.mod", "go.sum"):
            content.update((family.folder / name).read_bytes())
    return Path.home() / ".cache" / "sluice-cluster" / content.hexdigest()[:16]


def programs() -> Path:
    """The folder with all programs; builds those that are missing. One process builds, others wait for it."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for family in FAMILIES:
            missing = {name: path for name, path in family.packages.items() if not (folder / name).exists()}
            if missing:
                _build(family, missing, folder)
    return folder


def _build(family: Family, packages: dict[str, str], folder: Path) -> None:
    """Build into a folder beside the cache and move each program at once: an interrupted build leaves nothing."""
    go = shutil.which("go")
    if go is None:
        raise BuildError(
            f"the tests on a real API server need {', '.join(packages)}, built by the Go toolchain, and there is no `go` on "
            "the PATH: install Go 1.26 or newer (https://go.dev/dl), or point SLUICE_TEST_KUBECONFIG at a cluster"
        )
    _say(f"building {', '.join(packages)} {family.version}; this happens once")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as made:
        done = subprocess.run(
            [go, "build", "-trimpath", f"-ldflags={family.linker_flags}", "-o", f"{made}/", *packages.values()],
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


def main() -> int:
    """Build what is missing and print the folder."""
    try:
        sys.stdout.write(f"{programs()}\n")
    except BuildError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
