"""A person at a terminal who types what a page of the documentation shows."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.blocks import ROOT, Block

PATIENCE_S = 600


@dataclass
class Terminal:
    """A shell in a folder from which the repository's folders are reached by name, with kubectl, sluice and a cluster."""

    folder: Path
    kubectl: Path
    kubeconfig: Path
    told: dict[str, str] = field(default_factory=dict)
    """What each command said that was typed."""

    def __post_init__(self) -> None:
        programs = self.folder / "bin"
        programs.mkdir()
        for program in (self.kubectl, Path(sys.executable).with_name("sluice")):
            (programs / program.name).symlink_to(program)
        for name in ("manifests", "examples", "crds"):
            (self.folder / name).symlink_to(ROOT / name)

    def types(self, block: Block) -> None:
        """Each command of a block, one after the other; every one must succeed."""
        for line in block.text.splitlines():
            if line.startswith("$ "):
                self.told[line[2:]] = self.run(line[2:])

    def plays(self, block: Block) -> None:
        """A block of commands alone, some of which go on over several lines."""
        self.run("\n".join(line.removeprefix("$ ") for line in block.text.splitlines()))

    def run(self, command: str, *, code: int = 0) -> str:
        """What a command prints, which must end like that."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env={
                "HOME": str(self.folder),
                "KUBECONFIG": str(self.kubeconfig),
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout
