from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.api.kinds import ROLLOUT, WORKFLOW
from tests.cli.place import AT, Place, call, manifest, workflow

STABLE = {"number": 1, "version": "v1", "digest": "sha256:" + "1" * 64}
CANDIDATE = {"number": 2, "version": "v2", "digest": "sha256:" + "2" * 64, "step": 0, "attempt": 1}
STEPS = {"steps": [{"percent": 5}, {"percent": 50}, {"percent": 100}]}


def walking(place: Place, **candidate: Any) -> None:
    """A workflow whose v2 is taking over from v1."""
    place.make(workflow())
    rollout = {
        "phase": "Progressing",
        "stable": STABLE,
        "candidate": CANDIDATE | candidate,
        "percent": "5",
        "actualPercent": "4.8",
        "runs": [{"environment": "production", "candidate": 1, "stable": 20}],
        "requests": [{"kind": "hold", "key": "v1", "state": "Done", "by": "sluice-cli/ben", "since": AT}],
        "history": [{"number": 2, "version": "v2", "outcome": "Progressing", "attempt": 1, "started": AT}],
        "conditions": [
            {"type": "Progressing", "status": "True", "reason": "Walking", "message": "v2 takes 5 %"},
            {"type": "Ready", "status": "True", "reason": "Walking"},
        ],
    }
    place.report(WORKFLOW, "support", rollout=rollout)


def spec(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = place.get(ROLLOUT, "support")["spec"]
    return found


def test_status_tells_where_it_stands_how_runs_were_dealt_and_who_asked_what(place: Place) -> None:
    walking(place)
    lines = [" ".join(line.split()) for line in call("rollout", "status", "support").stdout.splitlines()]
    assert lines[:7] == [
        "Workflow: support",
        "Phase: Progressing",
        "Stable: v1",
        "Candidate: v2",
        "Percent: 5 %",
        "Actual: 4.8 %",
        "Step: 0",
    ]
    assert "Progressing: Walking: v2 takes 5 %" in lines
    assert "production 1 20" in lines
    assert f"hold v1 Done sluice-cli/ben {AT}" in lines
    assert f"v2 Progressing 1 {AT}" in lines


def test_status_of_a_workflow_without_rollout_is_idle(place: Place) -> None:
    place.make(workflow())
    assert call("rollout", "status", "support").stdout == "Workflow:         support\nPhase:            Idle\n"


def test_status_as_json_is_the_rollout_or_the_workflow(place: Place) -> None:
    walking(place)
    assert json.loads(call("rollout", "status", "support", "-o", "json").stdout)["kind"] == "Workflow"
    place.make(manifest("Rollout", "support", STEPS))
    assert json.loads(call("rollout", "status", "support", "-o", "json").stdout)["kind"] == "Rollout"


@pytest.mark.parametrize(
    ("words", "field", "entry", "told"),
    [
        (["hold", "--reason", "wait"], "holds", {"reason": "wait"}, "v2 is held at 5 %"),
        (["stop", "--reason", "5xx"], "stops", {"attempt": 1, "reason": "5xx"}, "v2 stops: new runs go to v1"),
        (["set", "--percent", "0.5"], "overrides", {"percent": "0.5"}, "v2 takes 0.5 % of new runs"),
        (["advance"], "promotions", {"step": 1}, "v2 goes on to step 1 (50 %)"),
    ],
)
def test_each_verb_writes_one_request_about_the_candidate(
    place: Place, words: list[str], field: str, entry: dict[str, Any], told: str
) -> None:
    walking(place)
    place.make(manifest("Rollout", "support", STEPS))
    result = call("rollout", words[0], "support", *words[1:])
    assert (result.exit_code, result.stdout) == (0, f"{told}\n")
    assert spec(place)[field] == {"v2": entry}
    assert spec(place)["steps"] == STEPS["steps"]


def test_a_stopped_candidate_is_tried_again(place: Place) -> None:
    walking(place, stopped=True, stopMessage="stopped by hand")
    place.make(manifest("Rollout", "support", STEPS))
    assert call("rollout", "retry", "support").stdout == "v2 starts attempt 2\n"
    assert spec(place)["retries"] == {"v2": {"attempt": 2}}


def test_resuming_takes_the_hold_away(place: Place) -> None:
    walking(place)
    place.make(manifest("Rollout", "support", {**STEPS, "holds": {"v2": {}}}))
    assert call("rollout", "resume", "support").stdout == "v2 goes on by its steps\n"
    assert spec(place).get("holds", {}) == {}


def test_without_a_rollout_of_its_own_one_is_made_from_the_policy(place: Place) -> None:
    walking(place)
    place.make(manifest("Rollout", "default", {**STEPS, "onNoData": "Stop", "holds": {"v9": {}}}))
    assert call("rollout", "stop", "support", "-o", "name").stdout == "rollout.sluice.dev/support\n"
    made = spec(place)
    assert (made["steps"], made["onNoData"], made["stops"]) == (STEPS["steps"], "Stop", {"v2": {"attempt": 1}})
    assert "holds" not in made


def test_without_any_rollout_the_percentage_makes_one(place: Place) -> None:
    place.make(workflow())
    result = call("rollout", "set", "support", "--percent", "20")
    assert result.stdout == "the next version of support takes 20 % of new runs\n"
    assert spec(place)["percent"] == 20


def test_what_git_owns_is_not_set_by_hand_but_may_be_stopped(place: Place) -> None:
    place.make(workflow())
    place.store.apply(manifest("Rollout", "support", {"percent": 10}), manager="sluice-git/main")
    refused = call("rollout", "set", "support", "--percent", "20")
    assert refused.exit_code == 1
    assert "Rollout support: spec.percent is owned by the git source main" in refused.stderr
    place.report(WORKFLOW, "support", rollout={"stable": STABLE, "candidate": CANDIDATE})
    assert call("rollout", "stop", "support").exit_code == 0
    assert spec(place)["percent"] == 10


def test_a_hold_that_git_declares_is_ended_in_git(place: Place) -> None:
    walking(place)
    place.store.apply(manifest("Rollout", "support", {**STEPS, "holds": {"v2": {}}}), manager="sluice-dir/flows")
    refused = call("rollout", "resume", "support")
    assert "spec.holds.v2 is owned by the folder flows: change the file there" in refused.stderr


def test_nothing_to_steer_fails_with_what_serves(place: Place) -> None:
    place.make(workflow())
    place.report(WORKFLOW, "support", rollout={"stable": STABLE})
    result = call("rollout", "stop", "support")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: support has no version that is taking over: v1 takes all runs\n",
    )
