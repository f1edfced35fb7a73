from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli.failures import Wrong
from sluice.cli.payload import read_json, read_params
from sluice.cli.running import replay_input
from sluice.ports.store import Obj
from tests.cli.place import ANA, AT, Place, call, manifest, workflow


def run_of(place: Place) -> Obj:
    (run,) = place.all(WORKFLOW_RUN)
    return run


def ending(place: Place, **status: Any) -> None:
    """The next run that is made ends so."""
    place.answer(WORKFLOW_RUN, lambda run: place.report(WORKFLOW_RUN, run["metadata"]["name"], **status))


def ended(name: str = "support-1", phase: str = "Failed") -> Obj:
    given = {"workflow": "support", "environment": "production", "payload": {"a": 1}, "params": {"b": 2}}
    return manifest("WorkflowRun", name, {"input": {**given, "actor": ANA}})


def test_a_run_is_started_with_what_was_given(place: Place) -> None:
    """R132."""
    place.make(workflow())
    words = ["--env", "production", "--payload", '{"text": "hi"}', "--params", "level=3", "--params", "to=ops"]
    result = call("run", "support", *words)
    run = run_of(place)
    assert (result.exit_code, result.stdout) == (0, f"{run['metadata']['name']}\n")
    assert run["metadata"]["name"].startswith("support-")
    assert run["metadata"]["labels"] == {
        "sluice.dev/workflow": "support",
        "sluice.dev/environment": "production",
        "sluice.dev/trigger": "manual",
    }
    given = run["spec"]["input"]
    assert given["payload"] == {"text": "hi"}
    assert given["params"] == {"level": 3, "to": "ops"}
    assert (given["trigger"]["type"], given["actor"]) == ("manual", ANA)


def test_the_environment_and_payload_may_be_left_out(place: Place) -> None:
    place.make(workflow())
    assert call("run", "support").exit_code == 0
    assert not {"environment", "payload", "params"} & set(run_of(place)["spec"]["input"])


@pytest.mark.parametrize("prefix", ["workflow/", "workflow.sluice.dev/", "workflows/", "slwf/"])
def test_a_workflow_may_be_named_as_minus_o_name_prints_it(place: Place, prefix: str) -> None:
    place.make(workflow())
    assert call("run", f"{prefix}support").exit_code == 0
    assert run_of(place)["spec"]["input"]["workflow"] == "support"


def test_a_name_of_another_kind_is_refused(place: Place) -> None:
    result = call("run", "rollout/support")
    assert result.exit_code == 2
    assert "names no Workflow; write NAME or workflow/NAME" in " ".join(result.stderr.split())
    assert call("report", "workflowrun/").exit_code == 2


def test_waiting_prints_the_outcome_and_outputs(place: Place) -> None:
    place.make(workflow())
    ending(place, phase="Succeeded", version="v1", duration="2s", outputs={"reply": 7})
    result = call("run", "support", "--wait")
    name = run_of(place)["metadata"]["name"]
    assert (result.exit_code, result.stdout) == (0, f'{name}: Succeeded, v1 after 2s\n{{\n  "reply": 7\n}}\n')


def test_waiting_with_json_prints_the_ended_run(place: Place) -> None:
    place.make(workflow())
    ending(place, phase="Succeeded")
    result = call("run", "support", "--wait", "-o", "json")
    assert json.loads(result.stdout)["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize("phase", ["Failed", "Error", "Cancelled", "Rejected"])
def test_a_run_that_does_not_succeed_fails_the_command(place: Place, phase: str) -> None:
    place.make(workflow())
    failure = {"step": "hello", "reason": "CodeFailed", "message": "division by zero", "logTail": "line 1\n"}
    ending(place, phase=phase, step="hello", failure=failure)
    result = call("run", "support", "--wait")
    assert result.exit_code == 1
    assert f"{phase}, step hello (CodeFailed: division by zero)" in result.stdout
    assert result.stderr == "line 1\n"


def test_waiting_no_longer_than_said_leaves_the_run_alone(place: Place) -> None:
    place.make(workflow())
    result = call("run", "support", "--wait", "--timeout", "10ms")
    assert result.exit_code == 1
    assert "did not end within 10ms; it goes on, see `sluice watch support-" in result.stderr
    assert run_of(place)["spec"].get("cancel", False) is False


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--payload", "{"], "--payload: the text is no JSON (line 1, column 2"),
        (["--payload", "@nope.json"], "--payload: nope.json can't be read: No such file"),
        (["--params", "level"], "--params: 'level' is neither name=value nor a JSON object"),
        (["--timeout", "5m"], "--timeout goes with --wait"),
        (["--wait", "--timeout", "soon"], "--timeout: 'soon' is no duration"),
    ],
)
def test_wrong_input_is_named(place: Place, words: list[str], message: str) -> None:
    place.make(workflow())
    result = call("run", "support", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_payload_comes_from_a_file_or_stdin(place: Place, tmp_path: Path) -> None:
    place.make(workflow())
    (tmp_path / "order.json").write_text("[1, 2]")
    call("run", "support", "--payload", "@order.json")
    assert run_of(place)["spec"]["input"]["payload"] == [1, 2]
    assert read_json("--payload", "null") is None
    assert call("run", "support", "--payload", "-", input='"text"').exit_code == 0


def test_parameters_are_json_where_they_are_json_and_text_otherwise(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1]")
    assert read_params(["a=1", "b=x=y", 'c={"d": true}', '{"a": 2, "e": null}', "f="]) == {
        "a": 2,
        "b": "x=y",
        "c": {"d": True},
        "e": None,
        "f": "",
    }
    with pytest.raises(Wrong, match="a JSON object of names and values is needed"):
        read_params(["@list.json"])


def test_replaying_runs_the_same_input_where_it_ran(place: Place) -> None:
    place.make(workflow(), ended())
    place.report(WORKFLOW_RUN, "support-1", phase="Failed")
    assert call("replay", "support-1", "--from-failed").exit_code == 0
    (made,) = [run for run in place.all(WORKFLOW_RUN) if run["metadata"]["name"] != "support-1"]
    given = made["spec"]["input"]
    assert given["replay"] == {"of": "support-1", "from": "Failed", "version": "Original"}
    assert (given["payload"], given["params"], given["environment"]) == ({"a": 1}, {"b": 2}, "production")


def test_a_replay_goes_where_the_original_was_pinned() -> None:
    original = ended()
    original["spec"]["pin"] = {"environment": "sandbox"}
    del original["spec"]["input"]["environment"]
    wanted = replay_input(original, from_failed=False, live=True)
    assert wanted["environment"] == "sandbox"
    assert wanted["replay"] == {"of": "support-1", "from": "Start", "version": "Live"}


def test_only_what_ended_is_replayed(place: Place) -> None:
    place.make(workflow(), ended())
    result = call("replay", "support-1")
    assert (result.exit_code, "support-1 is Pending: only what ended is run again" in result.stderr) == (1, True)
    assert call("replay", "support-1", "--version", "v3").exit_code == 2


def test_what_succeeded_has_no_failed_step_to_begin_at(place: Place) -> None:
    place.make(workflow(), ended())
    place.report(WORKFLOW_RUN, "support-1", phase="Succeeded")
    result = call("replay", "support-1", "--from-failed")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: support-1 succeeded: no step of it failed; leave out --from-failed\n",
    )


def test_cancelling_goes_one_way_and_only_before_the_end(place: Place) -> None:
    place.make(workflow(), ended())
    assert call("cancel", "support-1").stdout == "support-1 is being cancelled\n"
    assert place.get(WORKFLOW_RUN, "support-1")["spec"]["cancel"] is True
    place.report(WORKFLOW_RUN, "support-1", phase="Cancelled", endedAt=AT)
    assert call("cancel", "support-1").stderr == "error: support-1 has ended: Cancelled\n"


def test_cancelling_can_wait_for_the_end(place: Place) -> None:
    place.make(workflow(), ended())
    ending(place, phase="Cancelled")
    assert call("cancel", "support-1", "--wait").stdout == "support-1 Cancelled\n"
