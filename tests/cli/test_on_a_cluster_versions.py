"""The verbs about versions, rollouts, environments and decisions, on a real API server with its admission policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from sluice.api.kinds import APPROVAL, ENVIRONMENT_STATE, ROLLOUT, WORKFLOW
from sluice.domain.definition.canonical import canonicalize
from tests.cli.cluster_place import ClusterPlace
from tests.cli.place import DIGESTS, STEP, environment, manifest, workflow
from tests.cli.test_deciding import approval
from tests.cli.test_rollouts import CANDIDATE, STABLE, STEPS

pytestmark = pytest.mark.cluster


@pytest.fixture
def place(cluster: ClusterPlace) -> ClusterPlace:
    """A workflow with two versions, and an environment."""
    cluster.make(workflow(), environment())
    cluster.publish(1, 2)
    return cluster


def test_publishing_asks_for_the_draft_and_waits_for_its_version(place: ClusterPlace) -> None:
    place.report(WORKFLOW, "support", draftDigest=DIGESTS[3])
    place.answer(WORKFLOW, lambda _: place.publish(3))
    result = place.sluice("publish", "support", "--wait", "--timeout", "20s")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "support v3 is published\n", "")
    assert place.get(WORKFLOW, "support")["spec"]["publish"]["request"]["digest"] == DIGESTS[3]
    assert place.sluice("publish", "support").stdout == "nothing to publish: v3 is the draft\n"


def test_history_is_listed_and_shown(place: ClusterPlace) -> None:
    listed = place.sluice("versions", "support")
    assert (listed.exit_code, [line.split()[0] for line in listed.stdout.splitlines()]) == (0, ["VERSION", "v2", "v1"])
    assert yaml.safe_load(place.sluice("show", "support", "v1").stdout) == canonicalize({"steps": [STEP]})
    assert (
        place.sluice("show", "support", "v9").stderr == "error: there is no version v9 of support; there are: v1, v2\n"
    )


def test_reverting_asks_for_the_next_number(place: ClusterPlace) -> None:
    result = place.sluice("revert", "support", "--to", "v1", "--reason", "5xx")
    assert (result.exit_code, result.stdout) == (0, "support v3 (a revert to v1) is being published\n")
    assert place.get(WORKFLOW, "support")["spec"]["reverts"] == {"v3": {"to": "v1", "reason": "5xx"}}


def test_promoting_makes_the_sibling(cluster: ClusterPlace) -> None:
    cluster.make(environment("staging"), workflow("orders", scope="Environment", environment="dev"))
    cluster.publish(1, name="orders")
    result = cluster.sluice("promote", "orders", "--to", "staging")
    assert (result.exit_code, result.stdout) == (0, "orders-staging takes the definition of orders v1, for staging\n")
    assert cluster.get(WORKFLOW, "orders-staging")["spec"]["definitionFrom"] == {"workflow": "orders", "version": "v1"}


def walking(place: ClusterPlace, **candidate: Any) -> None:
    """v2 takes over from v1."""
    ready = {"type": "Ready", "status": "True", "reason": "Walking", "lastTransitionTime": "2026-01-31T08:00:00Z"}
    rollout = {"phase": "Progressing", "stable": STABLE, "candidate": CANDIDATE | candidate, "percent": "5"}
    place.report(WORKFLOW, "support", rollout={**rollout, "conditions": [{**ready, "message": ""}]})


def test_the_rollout_is_told_and_steered(place: ClusterPlace) -> None:
    walking(place)
    place.make(manifest("Rollout", "support", STEPS))
    lines = [" ".join(line.split()) for line in place.sluice("rollout", "status", "support").stdout.splitlines()]
    assert lines[:4] == ["Workflow: support", "Phase: Progressing", "Stable: v1", "Candidate: v2"]
    said = {
        "advance": "v2 goes on to step 1 (50 %)",
        "hold --reason wait": "v2 is held at 5 %",
        "resume": "v2 goes on by its steps",
        "set --percent 0.5": "v2 takes 0.5 % of new runs",
        "stop --reason 5xx": "v2 stops: new runs go to v1",
    }
    for words, told in said.items():
        verb, *rest = words.split()
        result = place.sluice("rollout", verb, "support", *rest)
        assert (result.exit_code, result.stdout) == (0, f"{told}\n"), result.stderr
    walking(place, stopped=True)
    assert place.sluice("rollout", "retry", "support").stdout == "v2 starts attempt 2\n"
    spec = place.get(ROLLOUT, "support")["spec"]
    assert spec["promotions"] == {"v2": {"step": 1}}
    assert spec["overrides"] == {"v2": {"percent": "0.5"}}
    assert (spec["stops"], spec["retries"]) == ({"v2": {"attempt": 1, "reason": "5xx"}}, {"v2": {"attempt": 2}})


def test_a_rollout_that_is_not_there_is_made(place: ClusterPlace) -> None:
    result = place.sluice("rollout", "set", "support", "--percent", "25")
    assert (result.exit_code, result.stdout) == (0, "the next version of support takes 25 % of new runs\n")
    assert place.get(ROLLOUT, "support")["spec"]["percent"] == 25


def test_an_environment_is_switched_off_and_on(place: ClusterPlace) -> None:
    off = place.sluice("deactivate", "support", "--env", "production", "--until", "2h", "--reason", "double charges")
    assert (off.exit_code, off.stdout) == (0, "support is Inactive in production\n")
    overrides = place.get(ENVIRONMENT_STATE, "support.production")["spec"]["overrides"]
    assert [entry["state"] for entry in overrides.values()] == ["Inactive"]
    on = place.sluice("activate", "--all", "--env", "production", "-o", "name")
    assert (on.exit_code, on.stdout) == (0, "environmentstate.sluice.dev/support.production\n")
    assert not place.get(ENVIRONMENT_STATE, "support.production")["spec"].get("overrides")


@pytest.mark.parametrize(("verb", "told"), [("approve", "approved"), ("reject", "rejected")])
def test_what_waits_is_listed_and_decided_in_ones_own_name(cluster: ClusterPlace, verb: str, told: str) -> None:
    cluster.make(approval("one", approvers={"users": [cluster.user()]}))
    cluster.report(APPROVAL, "one", phase="Pending", subject="support v2")
    assert cluster.sluice("approvals", "-o", "name").stdout == "approval.sluice.dev/one\n"
    assert cluster.sluice("approvals").stdout.splitlines()[1].split()[0] == "one"
    result = cluster.sluice(verb, "one", "--reason", "seen", "-o", "json")
    assert result.exit_code == 0, result.stderr
    ((by, decision),) = json.loads(result.stdout)["spec"]["decisions"].items()
    assert (decision["verdict"].lower(), decision["by"], by) == (told, by, cluster.user())
    again = cluster.sluice(verb, "one", "--reason", "seen")
    assert (again.exit_code, "you decided on one already" in again.stderr) == (1, True)


def test_who_is_not_asked_may_not_decide(cluster: ClusterPlace) -> None:
    """R250."""
    cluster.make(approval("one", approvers={"users": ["somebody@example.com"]}))
    cluster.report(APPROVAL, "one", phase="Pending", subject="support v2")
    result = cluster.sluice("approve", "one")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "only those named in spec.approvers decide" in result.stderr
    cluster.report(APPROVAL, "one", phase="Withdrawn")
    assert cluster.sluice("approvals").stderr == "nothing waits for a decision\n"
