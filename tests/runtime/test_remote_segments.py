"""Segments that run elsewhere: they begin later, can be adopted, and tell again what could not be written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.api.reasons import Reason
from sluice.domain.run.events import STEP_STARTED, STOP_REQUESTED, Event
from sluice.ports.errors import Fenced, Unavailable
from sluice.ports.launcher import LaunchRefused, RunIdentity, Segment
from sluice.runtime.engine import SHOW_RUNNING_AFTER
from sluice.runtime.queue import Key
from tests.runtime.test_engine import KEY, Bench, done
from tests.simulation.embedded import HandClock

SEGMENT = Segment(RunIdentity("uid", "wfr_x", "default", "r", "greet", "sandbox", 1), "main", 1, "trust", 1, {}, {}, {})

FULL = LaunchRefused(Reason.QUOTA_EXCEEDED, "exceeded quota: compute")
ENVIRONMENT = Key("default", "sandbox")


@pytest.fixture
def bench(clock: HandClock) -> Bench:
    return Bench(clock, remote=True)


def test_a_run_begins_when_its_runner_is_there(bench: Bench, clock: HandClock) -> None:
    bench.launch()
    assert bench.flight().begun is None

    clock.advance(seconds=2)
    bench.engine.began("uid", "main", 1)

    assert bench.flight().begun == clock.monotonic()
    assert bench.woken == [(KEY, SHOW_RUNNING_AFTER)]


def test_what_hinders_it_is_shown_once_and_until_it_begins(bench: Bench) -> None:
    bench.launch()
    for _ in range(2):
        bench.engine.hindered("uid", "main", 1, Reason.RUN_PENDING, "0/3 nodes are available")
    assert bench.flight().hindrance == (Reason.RUN_PENDING, "0/3 nodes are available")
    assert bench.woken == [(KEY, 0.0)]

    bench.engine.hindered("uid", "main", 1, None, "")
    assert bench.flight().hindrance is None

    bench.engine.began("uid", "main", 1)
    bench.engine.hindered("uid", "main", 1, Reason.RUN_PENDING, "late")
    assert bench.flight().hindrance is None


def test_of_one_that_has_begun_it_is_shown_that_nobody_can_tell_how_it_goes_on(bench: Bench, clock: HandClock) -> None:
    bench.launch()
    bench.engine.began("uid", "main", 1)
    began = bench.flight().begun
    clock.advance(seconds=700)
    for _ in range(2):
        bench.engine.hindered("uid", "main", 1, Reason.CLUSTER_UNREACHABLE, "no connection")
    assert bench.flight().hindrance == (Reason.CLUSTER_UNREACHABLE, "no connection")
    assert bench.woken == [(KEY, SHOW_RUNNING_AFTER), (KEY, 0.0)]

    bench.engine.began("uid", "main", 1)
    assert (bench.flight().hindrance, bench.flight().begun) == (None, began)
    assert bench.woken[2:] == [(KEY, SHOW_RUNNING_AFTER)]

    bench.engine.began("uid", "main", 1)
    assert len(bench.woken) == 3


def test_what_an_older_epoch_says_changes_nothing(bench: Bench) -> None:
    bench.launch(2)
    bench.engine.began("uid", "main", 1)
    bench.engine.hindered("uid", "main", 1, Reason.RUN_PENDING, "late")

    assert (bench.flight().begun, bench.flight().hindrance) == (None, None)


@pytest.mark.parametrize("error", [Unavailable("the disk is full"), Fenced("another leader writes")])
def test_what_could_not_be_written_now_is_neither_taken_nor_refused(bench: Bench, error: Exception) -> None:
    bench.launch()
    bench.log.answer = error

    assert bench.tell(done()) == [None]
    assert (bench.flight().lost, bench.flight().losses, bench.woken) == ("", 0, [])


def test_what_can_never_be_written_is_refused(bench: Bench) -> None:
    bench.launch()
    bench.log.answer = ValueError("not JSON")

    assert bench.tell(done()) == [False]
    assert bench.flight().losses == 1


def test_a_segment_of_an_earlier_controller_is_adopted(bench: Bench) -> None:
    assert bench.engine.adopt(SEGMENT)

    assert bench.flight().epoch == 1
    assert bench.tell(done()) == [True]


def test_what_is_not_there_any_more_is_not_adopted(bench: Bench) -> None:
    bench.launcher.adopts = False

    assert not bench.engine.adopt(SEGMENT)
    assert bench.flight() is None


def test_one_that_can_not_be_launched_waits_for_its_environment(bench: Bench) -> None:
    bench.launcher.refusal = FULL
    with pytest.raises(LaunchRefused):
        bench.launch()
    bench.engine.held_up.release(ENVIRONMENT)
    assert bench.woken == [(KEY, 0.0)]


def test_one_of_which_nobody_can_say_whether_it_is_there_waits_for_its_environment(bench: Bench) -> None:
    bench.launcher.refusal = FULL
    with pytest.raises(LaunchRefused):
        bench.engine.adopt(SEGMENT)
    bench.engine.held_up.release(ENVIRONMENT)
    assert bench.woken == [(KEY, 0.0)]


def test_nothing_local_is_adopted(clock: HandClock) -> None:
    bench = Bench(clock)

    assert not bench.engine.adopt(SEGMENT)
    assert bench.flight() is None


def test_a_launch_that_failed_leaves_nothing_so_that_it_is_looked_for(bench: Bench) -> None:
    bench.launcher.fails = True
    with pytest.raises(OSError, match="no more processes"):
        bench.launch()

    assert bench.flight() is None


def test_one_that_has_not_begun_is_told_again_that_it_is_cancelled(bench: Bench) -> None:
    bench.launch()
    bench.launcher.begun = False

    assert not bench.engine.cancel("uid", "Cancelled")
    assert not bench.engine.cancel("uid", "Cancelled")
    assert len(bench.launcher.cancelled) == 2

    bench.engine.began("uid", "main", 1)
    assert bench.engine.cancel("uid", "Cancelled")
    assert len(bench.launcher.cancelled) == 2


def handed(step: str = "deploy") -> Event:
    return Event(STEP_STARTED, step, 1, 5, {"work": {"input": {}, "timeout": 0, "key": "k"}})


def test_a_step_that_was_handed_over_has_the_run_looked_at_at_once(bench: Bench) -> None:
    bench.launch()
    assert not bench.flight().apart
    bench.tell(handed())

    assert bench.flight().apart
    assert bench.woken == [(KEY, 0.0)]


def test_a_wish_to_stop_one_has_the_run_looked_at_at_once(bench: Bench) -> None:
    bench.engine.launch(replace(SEGMENT, history=(handed(),)))
    assert bench.flight().apart, "its history says so"
    bench.tell(Event(STOP_REQUESTED, "deploy", 1, 6, {"reason": "Cancelled"}))

    assert bench.woken == [(KEY, 0.0)]


def test_an_open_segment_is_told_of_what_is_recorded_elsewhere_and_that_is_progress(bench: Bench) -> None:
    bench.launch()
    bench.engine.lost("uid", "main", 1, "killed")
    bench.launch(2)
    bench.engine.tell("uid", done("deploy"))
    bench.engine.tell("nobody", done("deploy"))

    assert bench.launcher.told == [("uid", done("deploy"))]
    assert bench.flight().losses == 0
