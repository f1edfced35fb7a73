"""Work that is done now and then: when, how often, and what ends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from sluice.adapters.kubernetes.periodic import Periodic

LONG_S = 3600.0
PATIENCE_S = 10


class Counted:
    """Work that counts; ``wait`` until it was done so many times."""

    def __init__(self, does: Callable[[], None] = lambda: None) -> None:
        self._does = does
        self._changed = threading.Condition()
        self.done = 0

    def __call__(self) -> None:
        with self._changed:
            self.done += 1
            self._changed.notify_all()
        self._does()

    def wait(self, times: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.done >= times, PATIENCE_S)


def test_it_is_done_again_after_each_pause() -> None:
    work = Counted()
    periodic = Periodic("work", work, 0.001)
    periodic.start()
    assert work.wait(3)
    periodic.close()


def test_it_is_done_at_once_only_if_that_is_wanted() -> None:
    patient, eager = Counted(), Counted()
    both = [Periodic("patient", patient, LONG_S), Periodic("eager", eager, LONG_S, at_once=True)]
    for periodic in both:
        periodic.start()
    assert eager.wait(1)
    for periodic in both:
        periodic.close()
    assert (patient.done, eager.done) == (0, 1)


def test_it_is_done_when_it_is_woken_and_once_more_when_it_is_woken_meanwhile() -> None:
    work = Counted(lambda: periodic.wake() if work.done == 1 else None)
    periodic = Periodic("work", work, LONG_S)
    periodic.start()
    periodic.wake()
    assert work.wait(2)
    periodic.close()
    assert work.done == 2


def test_a_failure_is_told_and_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("no such thing")

    work = Counted(fail)
    periodic = Periodic("work", work, 0.001)
    with caplog.at_level(logging.ERROR):
        periodic.start()
        assert work.wait(2)
        periodic.close()
    assert "work failed; trying again" in caplog.text
    assert "no such thing" in caplog.text


def test_closing_waits_for_what_is_being_done_and_cuts_a_rest_short() -> None:
    work = Counted()
    periodic = Periodic("work", work, LONG_S, at_once=True, rest_s=LONG_S)
    periodic.start()
    assert work.wait(1)
    periodic.close()
    periodic.close()
    assert work.done == 1
    assert periodic.is_closed


def test_one_that_never_started_can_be_closed() -> None:
    work = Counted()
    Periodic("work", work, LONG_S, at_once=True).close()
    assert work.done == 0
