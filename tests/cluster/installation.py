"""Puts Sluice's kinds and admission policies on a cluster, and waits until the API server goes by them."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CRDS = ROOT / "crds"
POLICIES = ROOT / "manifests" / "base" / "admission-policies.yaml"
ENFORCED_S = 60
"""How long the API server may take to go by a policy that it has; it looks for new ones about every second."""
FORBIDDEN_RUN = """\
apiVersion: sluice.dev/v1alpha1
kind: WorkflowRun
metadata: {name: probe, namespace: default}
spec: {input: {workflow: probe, environment: probe, actor: somebody-else}}
"""
REFUSAL = "spec.input.actor is the one who starts the run"


class InstallationError(Exception):
    """The cluster did not take it; the message is kubectl's."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A kubectl and whom it talks to."""

    kubectl: Path
    kubeconfig: Path

    def run(self, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command that may fail, without a cache of its own."""
        command = [self.kubectl, f"--kubeconfig={self.kubeconfig}", "--cache-dir=/dev/null/none", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    def __call__(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """The output of a command that must succeed; InstallationError otherwise."""
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            raise InstallationError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout


def install(cluster: Cluster) -> None:
    """Apply all of it; doing it again changes nothing."""
    cluster("apply", "--server-side", "--force-conflicts", "-f", CRDS)
    cluster("wait", "--for=condition=Established", f"--timeout={ENFORCED_S}s", "-f", CRDS)
    cluster("apply", "--server-side", "--force-conflicts", "-f", POLICIES)
    _wait_until_enforced(cluster)


def _wait_until_enforced(cluster: Cluster) -> None:
    """Nothing in a policy's status tells that each server goes by it; so try what it forbids."""
    deadline = time.monotonic() + ENFORCED_S
    attempt = ("create", "--dry-run=server", "-f", "-", "--as=probe@example.com", "--as-group=system:masters")
    while REFUSAL not in (said := cluster.run(*attempt, stdin=FORBIDDEN_RUN).stderr):
        if time.monotonic() > deadline:
            raise InstallationError(f"the admission policies are not enforced after {ENFORCED_S} s: {said}")
        time.sleep(0.1)
