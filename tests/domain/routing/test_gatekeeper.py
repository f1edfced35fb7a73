"""Who gets in (R014, R015, R169 to R175, C15, C16)."""

from __future__ import annotations

import dataclasses

import pytest

from sluice.api.reasons import Reason
from sluice.domain.routing.gatekeeper import Admit, Rejected, active_environments, admission
from tests.domain.routing.builders import NOW, door, environment, run, state

SANDBOX, PRODUCTION = environment("sandbox", "Active"), environment("production", type="Production")
REPLAY = {"of": "support-1"}


def rejected(found: Admit | Rejected) -> tuple[Reason, bool]:
    assert isinstance(found, Rejected), found
    assert found.message
    return found.reason, found.dropped


def test_a_run_starts_where_the_workflow_is_active():
    found = admission(door(SANDBOX, PRODUCTION), run("sandbox"), now=NOW)
    assert isinstance(found, Admit)
    assert found.environment == "sandbox"


def test_the_environment_may_be_left_out_when_one_is_active():
    found = admission(door(SANDBOX, PRODUCTION), run(), now=NOW)
    assert isinstance(found, Admit)
    assert found.environment == "sandbox"


def test_with_several_or_no_active_environments_one_must_be_named():
    both = door(SANDBOX, PRODUCTION, environments={"production": "Active"})
    assert active_environments(both, now=NOW) == ["production", "sandbox"]
    found = admission(both, run(), now=NOW)
    assert rejected(found) == (Reason.ENVIRONMENT_REQUIRED, False)
    assert "production, sandbox" in found.message
    none = admission(door(PRODUCTION), run(), now=NOW)
    assert rejected(none) == (Reason.ENVIRONMENT_REQUIRED, False)
    assert none.message.endswith("--env NAME` (production)")


def test_a_namespace_without_environments_says_that_it_needs_one():
    found = admission(door(), run(), now=NOW)
    assert rejected(found) == (Reason.ENVIRONMENT_REQUIRED, False)
    assert "there is no Environment in this namespace" in found.message


def test_inactive_runs_nothing_at_all():
    assert rejected(admission(door(PRODUCTION), run("production"), now=NOW)) == (Reason.INACTIVE, False)


@pytest.mark.parametrize("trigger", ["webhook", "schedule", "event", "queue"])
def test_an_automatic_trigger_is_dropped_and_counted_with_its_reason(trigger):
    automatic = run("production", trigger={"type": trigger})
    assert rejected(admission(door(PRODUCTION), automatic, now=NOW)) == (Reason.INACTIVE, True)
    paused = run("sandbox", trigger={"type": trigger})
    assert rejected(admission(door(SANDBOX, suspend=True), paused, now=NOW)) == (Reason.SUSPENDED, True)


@pytest.mark.parametrize("trigger", ["manual", "api"])
def test_a_run_by_hand_is_rejected_with_what_to_do(trigger):
    found = admission(door(SANDBOX, suspend=True), run("sandbox", trigger={"type": trigger}), now=NOW)
    assert rejected(found) == (Reason.SUSPENDED, False)
    assert "spec.suspend" in found.message


def test_the_kill_switch_wins_over_active():
    off = {"sandbox": state("sandbox", "Active", overrides={"ana": {"reason": "double charges"}})}
    found = admission(door(SANDBOX, states=off), run("sandbox"), now=NOW)
    assert rejected(found) == (Reason.INACTIVE_BY_HAND, False)
    assert "ana (double charges)" in found.message


def test_triggers_manual_hears_only_runs_by_hand():
    quiet = door(SANDBOX, states={"sandbox": state("sandbox", "Active", triggers="Manual")})
    assert isinstance(admission(quiet, run("sandbox", trigger={"type": "api"}), now=NOW), Admit)
    assert rejected(admission(quiet, run("sandbox", trigger={"type": "schedule"}), now=NOW)) == (
        Reason.TRIGGERS_MANUAL,
        True,
    )


def test_a_replay_works_while_paused_and_is_refused_when_inactive():
    paused = door(SANDBOX, PRODUCTION, suspend=True)
    assert isinstance(admission(paused, run("sandbox", replay=REPLAY), now=NOW), Admit)
    assert rejected(admission(paused, run("production", replay=REPLAY), now=NOW)) == (Reason.INACTIVE, False)


def test_a_replay_of_an_automatic_run_is_work_by_hand():
    again = run("production", replay=REPLAY, trigger={"type": "webhook"})
    assert rejected(admission(door(PRODUCTION), again, now=NOW)) == (Reason.INACTIVE, False)


def test_nothing_starts_before_a_version_takes_runs():
    draft = dataclasses.replace(door(SANDBOX), has_version=False)
    assert rejected(admission(draft, run("sandbox"), now=NOW)) == (Reason.NO_VERSION, False)
    assert isinstance(admission(draft, run("sandbox", replay=REPLAY), now=NOW), Admit)
    live = run("sandbox", replay={**REPLAY, "version": "Live"})
    assert rejected(admission(draft, live, now=NOW)) == (Reason.NO_VERSION, False)


def test_nothing_starts_on_a_version_that_can_not_run():
    failed = dataclasses.replace(door(SANDBOX), problem="steps[0]: no agent in this installation")
    found = admission(failed, run("sandbox"), now=NOW)
    assert rejected(found) == (Reason.NOT_EXECUTABLE, False)
    assert "no agent" in found.message


def test_an_environment_that_is_not_there_is_named_with_those_that_are():
    found = admission(door(SANDBOX, PRODUCTION), run("staging"), now=NOW)
    assert rejected(found) == (Reason.ENVIRONMENT_NOT_FOUND, False)
    assert "production, sandbox" in found.message


def test_scope_environment_runs_in_its_own_environment():
    scoped = door(SANDBOX, PRODUCTION, scope="Environment", environment="sandbox")
    found = admission(scoped, run(), now=NOW)
    assert isinstance(found, Admit)
    assert found.environment == "sandbox"
    assert rejected(admission(scoped, run("production"), now=NOW)) == (Reason.ENVIRONMENT_MISMATCH, False)
