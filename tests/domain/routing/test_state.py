"""Active or Inactive in each environment, and nothing else (R013 to R023)."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from sluice.api.environmentstate import State, Triggers
from sluice.api.reasons import Reason
from sluice.domain.routing.state import effective_state
from tests.domain.routing.builders import NOW, environment, state, workflow


def test_a_new_environment_is_inactive_unless_its_default_says_otherwise():
    assert not effective_state(workflow(), environment("eu"), None, now=NOW).active
    assert effective_state(workflow(), environment("eu", "Active"), None, now=NOW).active


def test_the_workflow_says_over_the_default():
    listed = workflow(environments={"eu": "Inactive"})
    found = effective_state(listed, environment("eu", "Active"), None, now=NOW)
    assert (found.state, found.why) == (State.INACTIVE, "spec.environments says Inactive for eu")


def test_an_environment_state_says_over_the_workflow():
    listed = workflow(environments={"eu": "Inactive"})
    found = effective_state(listed, environment("eu"), state("eu", "Active", triggers="Manual"), now=NOW)
    assert (found.active, found.triggers) == (True, Triggers.MANUAL)


def test_any_one_override_switches_off():
    overrides = {"ben": {"until": "2026-03-01T07:00:00Z"}, "ana": {"reason": "double charges"}}
    found = effective_state(workflow(), environment("eu"), state("eu", "Active", overrides=overrides), now=NOW)
    assert (found.active, found.reason, found.until) == (False, Reason.INACTIVE_BY_HAND, None)
    assert found.why == "switched off in eu by ana (double charges)"


def test_an_override_ends_at_its_time():
    declared = state("eu", "Active", overrides={"ana": {"until": "2026-03-01T09:00:00Z"}})
    end = NOW + dt.timedelta(hours=1)
    before = effective_state(workflow(), environment("eu"), declared, now=end - dt.timedelta(microseconds=1))
    assert (before.active, before.until) == (False, end)
    assert effective_state(workflow(), environment("eu"), declared, now=end).active


def test_an_override_with_an_unreadable_end_never_ends():
    declared = state("eu", "Active", overrides={"ana": {"until": "tomorrow"}})
    found = effective_state(workflow(), environment("eu"), declared, now=NOW)
    assert (found.active, found.until) == (False, None)
    assert "is no time" in found.why


def test_scope_environment_exists_in_one_environment_only():
    scoped = workflow(scope="Environment", environment="eu", environments={"eu": "Active", "us": "Active"})
    assert effective_state(scoped, environment("eu"), None, now=NOW).active
    elsewhere = effective_state(scoped, environment("us"), state("us", "Active"), now=NOW)
    assert (elsewhere.active, elsewhere.reason) == (False, Reason.ENVIRONMENT_MISMATCH)


def test_an_environment_state_can_pin_no_version():
    with pytest.raises(ValidationError, match="version"):
        state("eu", "Active", version="v3")
