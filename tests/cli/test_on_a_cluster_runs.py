"""The verbs about runs, on a real API server with its admission policies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.api.kinds import WORKFLOW_RUN
from sluice.ports.store import Obj
from tests.cli.cluster_place import ClusterPlace
from tests.cli.place import environment, manifest, workflow

pytestmark = pytest.mark.cluster


@pytest.fixture
def place(cluster: ClusterPlace) -> ClusterPlace:
    cluster.make(workflow(), environment())
    return cluster


def run_of(place: ClusterPlace) -> Obj:
    (run,) = place.all(WORKFLOW_RUN)
    return run


def ended(place: ClusterPlace, name: str = "support-1", **status: Any) -> None:
    given = {"workflow": "support", "environment": "production", "payload": {"a": 1}}
    place.make(manifest("WorkflowRun", name, {"input": given}))
    place.report(WORKFLOW_RUN, name, **status)


def test_a_run_is_started_in_ones_own_name(place: ClusterPlace) -> None:
    """R132."""
    result = place.sluice("run", "support", "--env", "production", "--payload", '{"a": 1}', "--params", "b=2")
    run = run_of(place)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{run['metadata']['name']}\n", "")
    given = run["spec"]["input"]
    assert (given["payload"], given["params"], given["trigger"]["type"]) == ({"a": 1}, {"b": 2}, "manual")
    assert given["actor"] == place.user()


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Failed", 1), ("Cancelled", 1)])
def test_waiting_for_a_run_ends_as_it_ends(place: ClusterPlace, phase: str, code: int) -> None:
    outputs = {"outputs": {"reply": "hi"}} if phase == "Succeeded" else {}

    def reply(run: Obj) -> None:
        place.report(WORKFLOW_RUN, run["metadata"]["name"], phase=phase, version="v1", duration="3s", **outputs)

    place.answer(WORKFLOW_RUN, reply)
    result = place.sluice("run", "support", "--env", "production", "--wait", "--timeout", "20s")
    name = run_of(place)["metadata"]["name"]
    assert result.exit_code == code
    assert result.stdout.splitlines()[0] == f"{name}: {phase}, v1 after 3s"
    assert ('"reply": "hi"' in result.stdout) is (phase == "Succeeded")


def test_waiting_no_longer_than_said(place: ClusterPlace) -> None:
    result = place.sluice("run", "support", "--env", "production", "--wait", "--timeout", "1ms")
    assert result.exit_code == 1
    assert "did not end within 1ms; it goes on" in result.stderr


def test_watching_prints_each_change_and_ends_with_the_run(place: ClusterPlace) -> None:
    ended(place, phase="Running", version="v1", step="hello")
    command = [str(Path(sys.executable).with_name("sluice")), "watch", "support-1", "--timeout", "60s", *place.where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "support-1: Running, v1, step hello\n"
        place.report(WORKFLOW_RUN, "support-1", phase="Failed", failure={"reason": "CodeFailed", "message": "no"})
        assert watching.stdout.read() == "support-1: Failed, v1, step hello (CodeFailed: no)\n"
    assert watching.returncode == 1


def test_a_run_is_cancelled_once(place: ClusterPlace) -> None:
    ended(place, phase="Running")
    place.answer(WORKFLOW_RUN, lambda _: place.report(WORKFLOW_RUN, "support-1", phase="Cancelled"))
    result = place.sluice("cancel", "support-1", "--wait", "--timeout", "20s")
    assert (result.exit_code, result.stdout) == (0, "support-1 Cancelled\n")
    assert place.get(WORKFLOW_RUN, "support-1")["spec"]["cancel"] is True
    assert place.sluice("cancel", "support-1").stderr == "error: support-1 has ended: Cancelled\n"


def test_a_replay_takes_the_input_over(place: ClusterPlace) -> None:
    ended(place, phase="Failed")
    result = place.sluice("replay", "support-1", "--from-failed", "-o", "yaml")
    given = yaml.safe_load(result.stdout)["spec"]["input"]
    assert (result.exit_code, given["payload"]) == (0, {"a": 1})
    assert given["replay"] == {"of": "support-1", "from": "Failed", "version": "Original"}


def test_kept_runs_are_listed_newest_first(place: ClusterPlace) -> None:
    ended(place, phase="Succeeded", version="v1")
    ended(place, "other-1", phase="Failed")
    shown = place.sluice("runs", "support", "--env", "production", "-o", "json")
    assert {item["metadata"]["name"] for item in json.loads(shown.stdout)["items"]} == {"support-1", "other-1"}
    assert place.sluice("runs", "support", "--env", "sandbox", "-o", "name").stdout == ""
    assert len(place.sluice("runs", "support", "--limit", "1").stdout.splitlines()) == 2


def test_a_run_needs_the_verb_use_on_its_environment(place: ClusterPlace) -> None:
    """R249, R250."""
    with place.acting_as("workflows", "workflowruns") as where:
        result = place.sluice("run", "support", "--env", "production", where=where)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "you may not run anything in this environment; ask for the verb use on it" in result.stderr


def test_whoever_acts_as_somebody_else_is_that_somebody(place: ClusterPlace, tmp_path: Path) -> None:
    """As kubectl does with ``as`` of a kubeconfig."""
    config = yaml.safe_load(place.plane.kubeconfig.read_text())
    for entry in config["users"]:
        entry["user"] |= {"as": "bob@example.com", "as-groups": ["system:masters", "leads"]}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    where = ("--kubeconfig", str(path), "--namespace", place.namespace)
    assert place.sluice("run", "support", "--env", "production", where=where).exit_code == 0
    assert run_of(place)["spec"]["input"]["actor"] == "bob@example.com"
