"""An example served by the real `sluice up` on a free port, and a person in front of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = Path(sys.executable).parent / "sluice"
PATIENCE = 60
"""Seconds that anything may take."""
ENDED = {"Succeeded", "Failed", "Error", "Cancelled", "Rejected"}

Obj = dict[str, Any]


class Served:
    """A running `sluice up` and the folder that it follows."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self._client = httpx.Client(base_url=f"{url}/apis/sluice.dev/v1alpha1/namespaces/default", timeout=PATIENCE)

    def close(self) -> None:
        self._client.close()

    def get(self, kind: str, name: str) -> Obj:
        made: Obj = self._client.get(f"/{kind}/{name}").raise_for_status().json()
        return made

    def create(self, kind: str, body: Obj) -> Obj:
        made: Obj = self._client.post(f"/{kind}", json=body).raise_for_status().json()
        return made

    def await_object(self, kind: str, name: str, reached: Any) -> Obj:
        """Watch an object until ``reached`` says so of it."""
        query: dict[str, Any] = {"watch": "1", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": PATIENCE}
        with self._client.stream("GET", f"/{kind}", params=query) as lines:
            for line in lines.iter_lines():
                obj: Obj = json.loads(line)["object"]
                if reached(obj):
                    return obj
        raise AssertionError(f"{kind}/{name} never got there: {self.get(kind, name)}")

    def await_live(self, workflow: str, version: str = "v1") -> Obj:
        return self.await_object("workflows", workflow, lambda obj: obj.get("status", {}).get("live") == version)

    def run(self, workflow: str, **given: Any) -> Obj:
        """Start a run and wait for its end."""
        made = self.create(
            "workflowruns",
            {
                "apiVersion": "sluice.dev/v1alpha1",
                "kind": "WorkflowRun",
                "metadata": {"generateName": f"{workflow}-"},
                "spec": {"input": {"workflow": workflow, **given}},
            },
        )
        return self.await_object(
            "workflowruns", made["metadata"]["name"], lambda obj: obj.get("status", {}).get("phase") in ENDED
        )

    def report(self, run: Obj) -> Obj:
        made: Obj = self._client.get(f"/workflowruns/{run['metadata']['name']}/report").raise_for_status().json()
        return made

    def sluice(self, *arguments: str) -> str:
        """What a command prints; it must succeed."""
        done = sluice(*arguments, folder=self.folder.parent)
        assert done.returncode == 0, f"sluice {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout


def sluice(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The real program, as typed in ``folder``."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def environment() -> dict[str, str]:
    """Without what would lead to another server."""
    return {name: value for name, value in os.environ.items() if name not in {"KUBECONFIG", "SLUICE_DATA"}}


@contextmanager
def up(folder: Path) -> Iterator[Served]:
    """`sluice up FOLDER` from the folder above it, with its data beside it, until the block ends."""
    process = subprocess.Popen(
        [PROGRAM, "up", folder.name, "--listen", "127.0.0.1:0"],
        cwd=folder.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    alarm = threading.Timer(PATIENCE * 3, process.kill)
    alarm.start()
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first.startswith("Sluice is ready at "), first + process.stderr.read()
        served = Served(folder, first.split()[-1])
        try:
            yield served
        finally:
            served.close()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
    finally:
        alarm.cancel()
        process.kill()
        process.communicate()
    assert process.returncode == 0


@contextmanager
def example(name: str, home: Path) -> Iterator[Served]:
    """A copy of an example, served."""
    folder = home / name
    shutil.copytree(EXAMPLES / name, folder)
    with up(folder) as served:
        yield served


@contextmanager
def listening(server: Any) -> Iterator[Any]:
    """An example's own stub server on a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
