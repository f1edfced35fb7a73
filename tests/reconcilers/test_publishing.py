"""When a draft becomes a version: policies, reverts, bad drafts. What serves is never hidden by a draft."""

from __future__ import annotations

import pytest

from sluice.api import kinds
from sluice.ports.store import Obj, Ref
from tests.reconcilers import looks
from tests.reconcilers.publishers import edit, live, request_publish
from tests.simulation.embedded import Simulation, definition


def test_with_policy_manual_a_draft_waits_to_be_asked_for(world: Simulation) -> None:
    world.workflow(publish={"policy": "Manual"})
    world.settle()
    workflow = looks.workflow(world)
    assert (workflow["status"]["phase"], looks.versions(world)) == ("Draft", [])
    assert looks.reason(workflow, "DraftPending") == "True/PublishingManual"

    request_publish(world)
    assert live(world) == "v1"
    edit(world, "output = 2")
    edit(world, "output = 3")
    assert looks.versions(world) == ["greet-v1"]
    request_publish(world)
    assert live(world) == "v2"
    assert world.get(kinds.WORKFLOW_VERSION, "greet-v2")["spec"]["definition"]["steps"][0]["action"]["python"][
        "code"
    ] == ("output = 3")


def test_a_request_for_another_draft_publishes_nothing(world: Simulation) -> None:
    world.workflow(publish={"policy": "Manual"})
    world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"publish": {"policy": "Manual", "request": {"digest": "sha256:" + "0" * 64}}})
    world.settle()

    assert looks.versions(world) == []


def test_drafts_overwrite_each_other_and_only_what_is_published_gets_a_number(world: Simulation) -> None:
    world.workflow()
    world.settle()
    for n in range(2, 6):
        world.edit("greet", f"output = {n}")  # nobody looks in between
    world.settle()

    assert looks.versions(world) == ["greet-v1", "greet-v2"]


def test_an_invalid_draft_leaves_what_runs(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"definition": {"steps": [{"name": "a", "needs": ["nobody"]}]}})
    world.settle()
    workflow = looks.workflow(world)
    assert looks.reason(workflow, "DraftValid") == "False/DraftInvalid"
    assert (workflow["status"]["phase"], live(world)) == ("Deployed", "v1")

    world.run("r")
    world.finish_runs()
    assert looks.run(world, "r")["status"]["version"] == "v1"
    edit(world, "output = 2")
    assert live(world) == "v2"


def test_what_needs_a_cluster_is_not_published_without_one(world: Simulation) -> None:
    step = {"name": "deploy", "action": {"container": {"image": "example.com/tool:1"}}}
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": {"steps": [step]}})
    world.settle()

    assert looks.reason(looks.workflow(world), "DraftPending") == "True/NotExecutable"
    message = looks.condition(looks.workflow(world), "DraftPending")["message"]
    assert "steps[0].action.container: steps of kind action.container have a pod of their own" in message
    assert not looks.versions(world)


def test_what_can_not_be_executed_is_not_published_and_named(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.patch(
        kinds.WORKFLOW, "greet", {"definition": definition("output = 1") | {"concurrency": {"policy": "Replace"}}}
    )
    world.settle()

    assert looks.reason(looks.workflow(world), "DraftPending") == "True/NotExecutable"
    assert live(world) == "v1"


def test_with_rollout_required_nothing_is_published_without_one(world: Simulation) -> None:
    world.workflow(publish={"rollout": "Required"})
    world.settle()
    assert looks.reason(looks.workflow(world), "Published") == "False/RolloutRequired"

    world.create(kinds.ROLLOUT, "default", {"percent": 10})
    world.settle()
    assert live(world) == "v1"


def test_a_revert_publishes_a_copy_and_the_untouched_draft_does_not_come_back(world: Simulation) -> None:
    world.workflow()
    world.settle()
    edit(world, "output = 2")
    world.patch(kinds.WORKFLOW, "greet", {"reverts": {"v3": {"to": "v1", "percent": 100, "reason": "5xx"}}})
    world.settle()

    first, third = (world.get(kinds.WORKFLOW_VERSION, f"greet-v{n}")["spec"] for n in (1, 3))
    assert (third["revertOf"], third["digest"], third["definition"]) == ("v1", first["digest"], first["definition"])
    assert live(world) == "v3"
    assert looks.reason(looks.workflow(world), "DraftBehind") == "True/RevertedByHand"
    looks.look_again(world)
    assert looks.versions(world) == ["greet-v1", "greet-v2", "greet-v3"]

    edit(world, "output = 4")
    assert live(world) == "v4"


def test_a_revert_to_what_is_not_there_says_so(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.patch(kinds.WORKFLOW, "greet", {"reverts": {"v2": {"to": "v9"}}})
    world.settle()

    assert looks.reason(looks.workflow(world), "Ready") == "False/VersionNotFound"
    assert (looks.versions(world), live(world)) == (["greet-v1"], "v1")


def test_a_definition_can_be_carried_over_from_a_version_of_a_sibling(world: Simulation) -> None:
    world.environment("production", type="Production")
    world.workflow("greet-test", scope="Environment", environment="sandbox", logicalName="greet")
    world.settle()
    given = {"workflow": "greet-test", "version": "v1"}
    spec = {"owner": "ana@example.com", "scope": "Environment", "environment": "production", "logicalName": "greet"}
    world.create(kinds.WORKFLOW, "greet", {**spec, "definitionFrom": given})
    world.settle()
    world.run("r", environment="production")
    world.run("astray", environment="sandbox")
    world.finish_runs()

    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"
    assert looks.run(world, "astray")["status"]["reason"] == "EnvironmentMismatch"
    digests = {world.get(kinds.WORKFLOW_VERSION, name)["spec"]["digest"] for name in ("greet-v1", "greet-test-v1")}
    assert len(digests) == 1


def test_a_source_version_that_comes_later_is_taken_up_when_it_is_there(world: Simulation) -> None:
    spec = {"owner": "ana@example.com", "definitionFrom": {"workflow": "greet-test", "version": "v2"}}
    world.create(kinds.WORKFLOW, "greet", spec)
    world.settle()
    assert looks.reason(looks.workflow(world), "DraftValid") == "False/VersionNotFound"

    world.workflow("greet-test")
    world.settle()
    assert live(world) is None
    world.edit("greet-test", "output = 2")
    world.settle()
    assert live(world) == "v1"


def test_each_publish_is_told_as_an_event(world: Simulation) -> None:
    world.workflow()
    world.settle()
    edit(world, "output = 2")

    told = [event["message"] for event in world.list(kinds.EVENT) if event["reason"] == "Published"]
    assert [message.split(" (")[0] for message in sorted(told)] == ["v1 is published", "v2 is published"]


def test_the_trigger_is_ready_once_a_version_is_live(world: Simulation) -> None:
    world.workflow(publish={"policy": "Manual"})
    world.settle()
    assert looks.reason(looks.workflow(world), "TriggerReady") == "False/NoVersion"

    request_publish(world)
    assert looks.reason(looks.workflow(world), "TriggerReady") == "True/Succeeded"


def test_a_parameter_without_a_value_is_told_for_each_active_environment(world: Simulation) -> None:
    world.environment("production", type="Production", params={"greeting": "Good day"})
    declared = definition("output = 1") | {"params": {"greeting": {"type": "string"}}}
    world.create(kinds.WORKFLOW, "greet", {"owner": "ana@example.com", "definition": declared})
    world.settle()
    missing = looks.condition(looks.workflow(world), "ParamsMissing")
    assert "in sandbox: no value for greeting" in missing["message"]
    assert "production" not in missing["message"]

    world.create(kinds.ENVIRONMENT_STATE, "greet.sandbox", {"state": "Active", "params": {"greeting": "Hi"}})
    world.settle()
    assert looks.condition(looks.workflow(world), "ParamsMissing") == {}


def test_a_setting_that_has_no_effect_yet_is_refused_by_name(world: Simulation) -> None:
    world.workflow(notifications=[{"events": ["RunFailed"], "connection": "mail"}])
    world.settle()

    workflow = looks.workflow(world)
    assert looks.versions(world) == []
    assert "spec.notifications: notifications are not executed" in looks.condition(workflow, "Ready")["message"]


def test_a_publish_reads_what_could_open_something_from_the_server_twice(
    world: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the version is made, and before it may have runs; each read is a round trip on a cluster."""
    world.workflow()
    world.settle()
    read: list[str] = []
    get = world.store.get

    def counted(ref: Ref) -> Obj:
        if ref.kind in (kinds.ROLLOUT, kinds.ENVIRONMENT_STATE, kinds.WORKFLOW_VERSION):
            read.append(f"{ref.kind.plural} {ref.name}")
        return get(ref)

    monkeypatch.setattr(world.system.world.store, "get", counted)
    edit(world, "output = 2")
    assert live(world) == "v2"
    once = ["rollouts greet", "rollouts default", "environmentstates greet.sandbox"]
    assert read == once * 2
