"""The programs that a test cluster is made of, by the Go module that each of them is built from.

Each family is a Go module of its own under ``tools/``, because their dependencies disagree; its ``go.mod`` pins every
version. A program may have sources of its own there: a ``main.go`` that names the parts it is made of.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

TOOLS = Path(__file__).parent / "tools"
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


class BuildError(Exception):
    """A program could not be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Family:
    """Programs of one Go module: ``packages`` maps a program's name to its import path.

    ``module`` is the published one whose version is theirs; none for a program that is only our own.
    """

    name: str
    module: str
    packages: dict[str, str]
    version_variable: str = ""
    """The package that tells the programs their version, if they don't know it by themselves."""
    tags: tuple[str, ...] = field(default=())
    """Build tags; they leave out what needs C libraries."""

    @property
    def folder(self) -> Path:
        """Where its module files are."""
        return TOOLS / self.name

    @property
    def version(self) -> str:
        """The pinned version, such as ``v1.36.3``; empty without a published module."""
        if not self.module:
            return ""
        pattern = rf"^(?:require )?\s*{re.escape(self.module)} (v\S+)"
        found = re.search(pattern, (self.folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise BuildError(f"{self.folder / 'go.mod'} requires no {self.module}: add it, with its version")
        return found[1]

    @property
    def options(self) -> list[str]:
        """Of ``go build``: small programs, which know their version."""
        flags = ["-s", "-w"]
        if self.version_variable:
            major, minor, _ = self.version.removeprefix("v").split(".", 2)
            values = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
            flags += [f"-X {self.version_variable}.{name}={value}" for name, value in values.items()]
        tags = [f"-tags={','.join(self.tags)}"] if self.tags else []
        return ["-trimpath", f"-ldflags={' '.join(flags)}", *tags]

    @property
    def digest(self) -> str:
        """Another one for other sources or options; a program more changes nothing for those that are there."""
        content = hashlib.sha256(repr(self.options).encode())
        for path in sorted(path for path in self.folder.iterdir() if path.suffix in {".mod", ".sum", ".go"}):
            content.update(path.name.encode() + path.read_bytes())
        return content.hexdigest()[:16]


def _of(module: str, *names: str) -> dict[str, str]:
    return {name: f"{module}/cmd/{name}" for name in names}


KUBERNETES, CONTAINERD = "k8s.io/kubernetes", "github.com/containerd/containerd/v2"
KUBE_ROUTER = "github.com/cloudnativelabs/kube-router/v2"
HELM = "helm.sh/helm/v3"
ARGO = "github.com/argoproj/argo-workflows/v3"
FAMILIES = (
    Family("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Family(
        "kubernetes",
        KUBERNETES,
        _of(KUBERNETES, *CONTROL_PLANE[1:], "kube-scheduler", "kubelet", "kube-proxy"),
        version_variable="k8s.io/component-base/version",
    ),
    Family(
        "containerd",
        CONTAINERD,
        _of(CONTAINERD, "containerd", "containerd-shim-runc-v2", "ctr"),
        tags=("no_btrfs", "no_zfs", "no_devmapper"),
    ),
    Family("kwok", "sigs.k8s.io/kwok", _of("sigs.k8s.io/kwok", "kwok")),
    Family("coredns", "github.com/coredns/coredns", {"coredns": "sluice.dev/tests/cluster/coredns"}),
    Family("kube-router", KUBE_ROUTER, _of(KUBE_ROUTER, "kube-router")),
    Family("helm", HELM, {"helm": f"{HELM}/cmd/helm"}),
    Family("argo", ARGO, _of(ARGO, "workflow-controller")),
    Family("pause", "", {"pause": "sluice.dev/tests/cluster/pause"}),
)


def family_of(program: str) -> Family:
    """Whose program it is; BuildError if nobody's."""
    for family in FAMILIES:
        if program in family.packages:
            return family
    known = ", ".join(name for family in FAMILIES for name in family.packages)
    raise BuildError(f"nothing here builds {program}; what there is: {known}")
