"""Helm, built from its published sources like the programs of a test cluster."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.build import program

CHART = Path(__file__).parents[2] / "charts" / "sluice"
RELEASE = "sluice"


@dataclass(frozen=True, slots=True)
class Helm:
    """Helm for one release; ``home`` is where it keeps what it fetches."""

    home: Path
    kubeconfig: Path | None = None
    namespace: str = "sluice-system"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        environment = {"HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig or "/nowhere")}
        command = [program("helm"), f"--namespace={self.namespace}", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def __call__(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def template(self, *values: str) -> subprocess.CompletedProcess[str]:
        """The chart with these values, without a cluster."""
        chosen = [word for value in values for word in ("--set", value)]
        return self.run("template", RELEASE, str(CHART), "--kube-version=1.36.0", *chosen)
