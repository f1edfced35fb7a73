"""Runs the real kubectl against a server, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig

PROGRAM = "/usr/bin/kubectl"
PATIENCE = 30
"""Seconds that one command may take."""


class Running:
    """A command that goes on; it is killed when it takes too long, so reading always ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def document(self) -> dict[str, Any]:
        """The next JSON document that it prints, over as many lines as it has."""
        text = ""
        while line := self.line():
            text += line
            try:
                made: dict[str, Any] = json.loads(text)
            except json.JSONDecodeError:
                continue
            return made
        raise AssertionError(f"the output ended within a document: {text}")

    def result(self) -> str:
        """All that it prints until it ends, in success."""
        output, _ = self._process.communicate()
        assert self._process.returncode == 0, output
        return output


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

    @contextmanager
    def going_on(self, *arguments: str) -> Iterator[Running]:
        """A command that goes on until it ends by itself or the block does."""
        command = [PROGRAM, f"--cache-dir={self._home}/cache", *arguments]
        output = subprocess.PIPE
        with subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True, env=self._env) as process:
            alarm = threading.Timer(PATIENCE, process.kill)
            alarm.start()
            try:
                yield Running(process)
            finally:
                alarm.cancel()
                process.kill()

    def apply(self, *objects: dict[str, Any], options: tuple[str, ...] = ()) -> str:
        """Apply objects by ``kubectl apply -f -``."""
        return self("apply", *options, "-f", "-", stdin=manifests(*objects))

    def read(self, *arguments: str) -> dict[str, Any]:
        """``kubectl get -o json``."""
        made: dict[str, Any] = json.loads(self("get", "-o", "json", *arguments))
        return made


def manifests(*objects: dict[str, Any]) -> str:
    return yaml.safe_dump_all(objects)
