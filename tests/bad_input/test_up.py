"""Bad files in a folder that `sluice up` follows: what runs stays untouched, and after mending it goes on (R033)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bad_input.case import obj, workflow
from tests.bad_input.cases import CASES, Case, write_files
from tests.contracts.store.builders import eventually

SAMPLE = [
    "a step name with spaces",
    "a cycle of three",
    "a workflow without an owner",
    "percent 101",
    "a tab as indentation",
    "Latin-1",
    "a NUL character",
    "two megabytes",
    "a hundred thousand lists in a line",
    "brackets in texts between a hundred thousand others",
    "JSON of a hundred thousand levels",
    "infinity",
    "a pod",
    "a version in a file",
    "two files that declare one object",
    "a link to itself",
    "a link out of the folder",
    "a link to the folder around it",
    "JSON with a comma too many",
    "a file of code that does not compile",
    "ten thousand steps",
]


def steady(code: str) -> str:
    return workflow(f"steps: [{{name: a, action: {{python: {{code: {code}}}}}}}]", name="steady")


class Up:
    """A running `sluice up`, and what it says."""

    def __init__(self, home: Path) -> None:
        self.flows = home / "flows"
        self.flows.mkdir()
        (self.flows / "steady.yaml").write_text(steady("output = 1"))
        (self.flows / "rollout.yaml").write_text(obj("Rollout", "steady", "percent: 50"))
        self._said = home / "said"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sluice", "up", "flows", "--listen", "127.0.0.1:0"],
                cwd=home,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={name: value for name, value in os.environ.items() if name != "KUBECONFIG"},
            )
        assert self.process.stdout is not None
        url = self.process.stdout.readline().split()[-1]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self._client = httpx.Client(base_url=f"{url}/apis/sluice.dev/v1alpha1/namespaces/default", timeout=30)

    def close(self) -> None:
        self._client.close()
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()

    def lines(self) -> list[str]:
        return self._said.read_text(errors="replace").splitlines()

    def objects(self) -> list[dict[str, Any]]:
        """All that the controller holds of workflows; resource versions included."""
        plurals = ("workflows", "workflowversions", "rollouts", "environments", "environmentstates")
        return [item for plural in plurals for item in self._client.get(f"/{plural}").json()["items"]]

    def live(self, name: str = "steady") -> Any:
        answer = self._client.get(f"/workflows/{name}")
        return (answer.json().get("status") or {}).get("live") if answer.status_code == 200 else None

    def run(self) -> str:
        """Start a run; the version that it is pinned to, once it has succeeded."""
        body = {
            "apiVersion": "sluice.dev/v1alpha1",
            "kind": "WorkflowRun",
            "metadata": {"generateName": "steady-"},
            "spec": {"input": {"workflow": "steady", "environment": "local"}},
        }
        name = self._client.post("/workflowruns", json=body).raise_for_status().json()["metadata"]["name"]
        found: dict[str, Any] = {}

        def succeeded() -> bool:
            found.update(self._client.get(f"/workflowruns/{name}").json())
            return bool((found.get("status") or {}).get("phase") == "Succeeded")

        eventually(succeeded, "the run succeeds")
        return str(found["spec"]["pin"]["version"])


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    made = Up(tmp_path_factory.mktemp("up"))
    try:
        eventually(lambda: made.live() == "v1", "the first version is live")
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("case", [case for case in CASES if case.name in SAMPLE], ids=lambda case: case.name)
def test_a_bad_file_is_named_and_nothing_moves(case: Case, up: Up) -> None:
    eventually(lambda: all("observedGeneration" in item.get("status", {}) for item in up.objects()), "all is settled")
    before, told = up.objects(), len(up.lines())
    # Beside the folder first, then in place at once: what is half there would be told of, too.
    beside = up.flows.parent / "beside"
    beside.mkdir()
    write_files(case, beside)
    beside.rename(up.flows / "bad")

    def is_told() -> bool:
        return any("nothing was applied" in line for line in up.lines()[told:])

    eventually(is_told, "the finding is printed")
    found = [line.replace("bad/", "") for line in up.lines()[told:] if "nothing was applied" not in line]
    shutil.rmtree(up.flows / "bad")
    assert [case.matches(line) for line in found] == [True], found
    assert json.dumps(up.objects()) == json.dumps(before)
    assert up.process.poll() is None


def test_runs_go_on_beside_a_bad_file_and_the_mended_one_is_applied(up: Up) -> None:
    told = len(up.lines())
    (up.flows / "new.yaml").write_text(workflow("steps: [{name: a, action: {}}]", name="new"))
    eventually(lambda: len(up.lines()) > told + 1, "the finding is printed")
    assert up.run() == "steady-v1"
    (up.flows / "steady.yaml").write_text(steady("output = 2"))
    (up.flows / "new.yaml").write_text(steady("output = 1").replace("name: steady", "name: new"))
    eventually(lambda: up.live("new") == "v1", "the mended file is applied")
    eventually(lambda: len([o for o in up.objects() if o["metadata"]["name"] == "steady-v2"]) == 1, "so is the other")


def test_the_sample_is_of_the_table() -> None:
    assert set(SAMPLE) <= {case.name for case in CASES}
