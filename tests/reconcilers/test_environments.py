"""Environments and the states of workflows in them: what is in force, who said so, what happens to runs."""

from __future__ import annotations

from typing import Any

from sluice.api import kinds
from sluice.ports.store import Ref
from tests.reconcilers import looks
from tests.simulation.embedded import Simulation

STATE = "greet.sandbox"


def state(world: Simulation) -> Any:
    return world.get(kinds.ENVIRONMENT_STATE, STATE)


def outcome(world: Simulation, name: str, **given: Any) -> tuple[str, str]:
    world.run(name, **given)
    world.finish_runs()
    status = looks.run(world, name)["status"]
    return status["phase"], status.get("reason", "")


def test_the_kill_switch_holds_until_its_time_and_lets_go_by_itself(world: Simulation) -> None:
    world.workflow()
    world.create(kinds.ENVIRONMENT_STATE, STATE, {"state": "Active"})
    world.settle()
    until = {"ana": {"state": "Inactive", "reason": "double charges", "until": "2026-03-01T13:00:00Z"}}
    world.patch(kinds.ENVIRONMENT_STATE, STATE, {"overrides": until})
    world.settle()
    assert looks.reason(state(world), "HeldByHand") == "True/InactiveByHand"
    assert outcome(world, "during") == ("Rejected", "InactiveByHand")

    world.pass_time(hours=1)
    assert state(world)["status"]["state"] == "Active"
    assert looks.condition(state(world), "HeldByHand") == {}
    assert outcome(world, "after")[0] == "Succeeded"
    assert looks.workflow(world)["status"]["environments"][0]["state"] == "Active"


def test_a_run_in_progress_goes_on_where_its_workflow_becomes_inactive(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.run("r")
    world.settle()
    world.create(kinds.ENVIRONMENT_STATE, STATE, {"state": "Inactive"})
    world.finish_runs()

    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"
    assert looks.workflow(world)["status"].get("activeIn") is None


def test_a_paused_workflow_starts_nothing_and_resumes(world: Simulation) -> None:
    world.workflow(suspend=True)
    world.settle()
    assert looks.workflow(world)["status"]["phase"] == "Paused"
    assert outcome(world, "while") == ("Rejected", "Suspended")

    world.patch(kinds.WORKFLOW, "greet", {"suspend": False})
    world.settle()
    assert outcome(world, "after")[0] == "Succeeded"
    assert looks.run(world, "while")["status"]["phase"] == "Rejected", "nothing is made up for"


def test_with_triggers_manual_a_run_by_hand_starts_and_one_by_itself_does_not(world: Simulation) -> None:
    world.workflow()
    world.create(kinds.ENVIRONMENT_STATE, STATE, {"state": "Active", "triggers": "Manual"})
    world.settle()

    assert outcome(world, "cron", trigger={"type": "schedule"}) == ("Rejected", "TriggersManual")
    assert outcome(world, "hand")[0] == "Succeeded"


def test_a_state_waits_for_what_it_names_and_moves_when_it_comes(world: Simulation) -> None:
    world.create(kinds.ENVIRONMENT_STATE, "greet.late", {"state": "Active"})
    world.settle()
    ref = Ref(kinds.ENVIRONMENT_STATE, "default", "greet.late")
    assert looks.reason(world.store.get(ref), "Ready") == "False/WorkflowNotFound"
    world.workflow()
    world.settle()
    assert looks.reason(world.store.get(ref), "Ready") == "False/EnvironmentNotFound"
    assert looks.look_again(world, kinds.ENVIRONMENT_STATE) == 0
    world.environment("late")
    world.settle()

    assert looks.reason(world.store.get(ref), "Ready") == "True/Succeeded"
    assert world.store.get(ref)["status"]["state"] == "Active"


def test_a_name_without_an_environment_needs_a_person(world: Simulation) -> None:
    world.create(kinds.ENVIRONMENT_STATE, "greet", {"state": "Active"})
    world.settle()

    stalled = world.get(kinds.ENVIRONMENT_STATE, "greet")
    assert looks.reason(stalled, "Stalled") == "True/NameMismatch"
    assert looks.look_again(world, kinds.ENVIRONMENT_STATE) == 0


def test_a_deleted_state_leaves_the_environments_default(world: Simulation) -> None:
    world.workflow()
    world.create(kinds.ENVIRONMENT_STATE, STATE, {"state": "Inactive"})
    world.settle()
    world.store.delete(Ref(kinds.ENVIRONMENT_STATE, "default", STATE))
    world.settle()

    assert outcome(world, "r")[0] == "Succeeded"


def test_an_environment_says_how_runs_are_launched(world: Simulation) -> None:
    world.settle()
    sandbox = world.get(kinds.ENVIRONMENT, "sandbox")

    assert (sandbox["status"]["launch"], looks.reason(sandbox, "Ready")) == ("Process", "True/Succeeded")
    assert looks.look_again(world, kinds.ENVIRONMENT) == 0


def test_where_nothing_can_be_launched_no_run_starts(world: Simulation) -> None:
    world.environment("cluster", launch="Job")
    world.workflow()
    world.settle()
    assert looks.reason(world.get(kinds.ENVIRONMENT, "cluster"), "Stalled") == "True/LaunchUnsupported"
    assert outcome(world, "r", environment="cluster") == ("Rejected", "LaunchUnsupported")

    world.patch(kinds.ENVIRONMENT, "cluster", {"launch": "Process"})
    world.settle()
    assert outcome(world, "again", environment="cluster")[0] == "Succeeded"


def test_runs_of_a_deleted_environment_go_on_and_new_ones_are_refused(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.run("r")
    world.settle()
    world.store.delete(Ref(kinds.ENVIRONMENT, "default", "sandbox"))
    world.finish_runs()

    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"
    assert outcome(world, "late") == ("Rejected", "EnvironmentNotFound")


def test_a_run_lost_in_a_deleted_environment_goes_on_when_it_is_back(world: Simulation) -> None:
    world.workflow()
    world.settle()
    world.run("r")
    world.settle()
    world.store.delete(Ref(kinds.ENVIRONMENT, "default", "sandbox"))
    world.launcher.lose(next(iter(world.launcher.open)))
    world.settle()
    assert looks.reason(looks.run(world, "r"), "Ready") == "False/EnvironmentNotFound"
    world.environment("sandbox")
    world.pass_time(seconds=31)
    world.finish_runs()

    assert looks.run(world, "r")["status"]["phase"] == "Succeeded"


def test_nobody_is_turned_away_for_an_environment_that_was_not_heard_of_yet(lagging: Any) -> None:
    lagging.workflow()
    lagging.settle()
    lagging.hold(kinds.ENVIRONMENT, kinds.ENVIRONMENT_STATE)
    lagging.environment("fresh")
    lagging.run("r", environment="fresh")
    lagging.settle()
    assert "status" not in looks.run(lagging, "r")

    lagging.catch_up()
    lagging.pass_time(seconds=1)
    lagging.finish_runs()
    assert looks.run(lagging, "r")["status"]["phase"] == "Succeeded"


def test_parameters_come_from_the_run_then_the_state_then_the_environment_then_the_default(world: Simulation) -> None:
    params = {"a": {"type": "string", "default": "d"}, "b": {"type": "string", "default": "d"}}
    params |= {"c": {"type": "string", "default": "d"}, "d": {"type": "string", "default": "d"}}
    world.environment("tuned", params={"a": "env", "b": "env", "c": "env"})
    world.workflow()
    definition = looks.workflow(world)["spec"]["definition"] | {"params": params}
    world.patch(kinds.WORKFLOW, "greet", {"definition": definition})
    world.create(kinds.ENVIRONMENT_STATE, "greet.tuned", {"state": "Active", "params": {"a": "state", "b": "state"}})
    world.settle()
    world.run("r", environment="tuned", params={"a": "run"})
    world.finish_runs()

    assert looks.run(world, "r")["spec"]["pin"]["params"] == {"a": "run", "b": "state", "c": "env", "d": "d"}


def test_a_missing_parameter_fails_the_run_and_names_it(world: Simulation) -> None:
    world.workflow()
    definition = looks.workflow(world)["spec"]["definition"] | {"params": {"mailTo": {"type": "string"}}}
    world.patch(kinds.WORKFLOW, "greet", {"definition": definition})
    world.settle()
    assert outcome(world, "r") == ("Failed", "ParamMissing")
    assert "mailTo" in looks.run(world, "r")["status"]["failure"]["message"]

    assert outcome(world, "given", params={"mailTo": "x"})[0] == "Succeeded"
