"""Runs the real kubectl against a server, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig

PROGRAM = "/usr/bin/kubectl"
PATIENCE = 30
"""Seconds that one command may take."""


class Kubectl:
    """Commands of one person, in one namespace."""

    def __init__(self, home: Path, connection: Connection) -> None:
        write_kubeconfig(home / "kubeconfig", connection)
        self._home = home
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(home / "kubeconfig"),
            "KUBE_EDITOR": "sed -i s/ana@/bob@/",
        }

    def attempt(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        return subprocess.run(
            [PROGRAM, f"--cache-dir={self._home}/cache", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._env,
            timeout=PATIENCE,
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """The output of a command that must succeed."""
        done = self.attempt(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def fails(self, *arguments: str, stdin: str | None = None) -> str:
        """What a command says that must fail."""
        done = self.attempt(*arguments, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(arguments)} succeeded: {done.stdout}"
        return done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that goes on."""
        command = [PROGRAM, f"--cache-dir={self._home}/cache", *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._env, bufsize=1
        )

    def apply(self, *objects: dict[str, Any], options: tuple[str, ...] = ()) -> str:
        """Apply objects by ``kubectl apply -f -``."""
        return self("apply", *options, "-f", "-", stdin=manifests(*objects))

    def read(self, *arguments: str) -> dict[str, Any]:
        """``kubectl get -o json``."""
        made: dict[str, Any] = json.loads(self("get", "-o", "json", *arguments))
        return made


def manifests(*objects: dict[str, Any]) -> str:
    return yaml.safe_dump_all(objects)
