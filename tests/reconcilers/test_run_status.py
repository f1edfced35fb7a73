"""What a run's status says while its runner has not begun."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sluice.api.reasons import Reason
from sluice.reconcilers.runs import status
from tests.simulation.embedded import HandClock

RUN = {"metadata": {"uid": "uid", "generation": 2}, "spec": {"pin": {"number": 7}}}
WORLD: Any = SimpleNamespace(clock=HandClock())


def test_what_keeps_a_runner_from_beginning_is_the_run_s_reason() -> None:
    made = status.starting(WORLD, RUN, (Reason.POD_UNSCHEDULABLE, "0/1 nodes are available"))
    assert made["reason"] == "PodUnschedulable"
    assert {each["reason"] for each in made["conditions"]} == {"PodUnschedulable"}


def test_a_runner_that_only_has_not_begun_yet_is_no_reason() -> None:
    assert "reason" not in status.starting(WORLD, RUN, None)
