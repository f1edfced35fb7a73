"""The frame around one reconcile: each way in which it can end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.api.reasons import Reason
from sluice.ports.errors import AlreadyExists, Conflict, Fenced, NotFound, Terminating, Unavailable
from sluice.ports.store import Obj
from sluice.runtime.controller import Controller
from sluice.runtime.metrics import Totals
from sluice.runtime.outcome import DONE, SETTLED, Result, Stalled, Waiting
from sluice.runtime.queue import Key, WorkQueue
from tests.simulation.embedded import HandClock

KEY = Key("default", "a")


class Scripted:
    """Ends as it is told, once each; then well."""

    def __init__(self) -> None:
        self.endings: list[Result | Exception] = []
        self.reports: list[Waiting | Stalled] = []
        self.report_fails: Exception | None = None
        self.gone_keys: list[Key] = []
        self.looks = 0

    def reconcile(self, obj: Obj) -> Result:
        self.looks += 1
        ending = self.endings.pop(0) if self.endings else DONE
        if isinstance(ending, Exception):
            raise ending
        return ending

    def gone(self, key: Key) -> Result:
        self.gone_keys.append(key)
        return DONE

    def failed(self, obj: Obj, ending: Waiting | Stalled) -> None:
        if self.report_fails is not None:
            raise self.report_fails
        self.reports.append(ending)


class Frame:
    """A controller whose one object is there or not, driven by hand."""

    def __init__(self, queue: WorkQueue, clock: HandClock) -> None:
        self.reconciler, self.queue, self.clock, self.metrics = Scripted(), queue, clock, Totals()
        self.obj: Obj | None = {"metadata": {"name": "a", "namespace": "default"}}
        self.controller = Controller(self.reconciler, queue, lambda _: self.obj, metrics=self.metrics)

    def ends(self, *endings: Result | Exception) -> None:
        self.reconciler.endings += endings
        self.queue.add(KEY)
        self.work()

    def work(self) -> None:
        while (key := self.queue.take(wait=False)) is not None:
            self.controller.process(key)

    @property
    def outcomes(self) -> dict[str, int]:
        return {outcome: count for (_, outcome), count in self.metrics.counts.items()}


@pytest.fixture
def frame(queue: WorkQueue, clock: HandClock) -> Frame:
    return Frame(queue, clock)


def test_done_is_done(frame: Frame) -> None:
    frame.ends(DONE)

    assert frame.queue.next_due() is None
    assert frame.outcomes == {"done": 1}


def test_it_looks_again_when_it_was_asked_to(frame: Frame) -> None:
    frame.ends(Result(requeue_after=30))
    assert frame.queue.next_due() == 30

    frame.clock.advance(seconds=30)
    frame.work()
    assert frame.reconciler.looks == 2


def test_what_is_settled_drops_the_look_that_was_asked_for(frame: Frame) -> None:
    frame.ends(Result(requeue_after=30))
    frame.ends(SETTLED)

    assert frame.queue.next_due() is None


def test_waiting_is_reported_and_looked_at_again(frame: Frame) -> None:
    frame.ends(Waiting(Reason.WORKFLOW_NOT_FOUND, "there is no workflow", retry_after=600))

    assert [report.message for report in frame.reconciler.reports] == ["there is no workflow"]
    assert frame.queue.next_due() == 600
    assert frame.outcomes == {"done": 1}


def test_stalled_is_reported_and_left_to_people(frame: Frame) -> None:
    frame.ends(Stalled(Reason.NAME_MISMATCH, "rename it"))

    assert [report.reason for report in frame.reconciler.reports] == [Reason.NAME_MISMATCH]
    assert frame.queue.next_due() is None


@pytest.mark.parametrize("error", [Conflict("stale"), AlreadyExists("there"), NotFound("gone"), Terminating("leaving")])
def test_a_stale_look_is_repeated_quietly(frame: Frame, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    frame.ends(error)
    frame.clock.advance(seconds=0.006)
    frame.work()

    assert frame.outcomes == {"conflict": 1, "done": 1}
    assert caplog.text == ""


def test_an_outage_is_said_and_tried_again_later_and_later(frame: Frame, caplog: pytest.LogCaptureFixture) -> None:
    frame.ends(Unavailable("the disk is full"), Unavailable("the disk is full"))
    frame.clock.advance(seconds=0.006)
    frame.work()

    assert frame.outcomes == {"unavailable": 2}
    assert frame.queue.next_due() == pytest.approx(0.01, abs=1e-6)
    assert "the disk is full" in caplog.text


def test_one_that_does_not_lead_any_more_says_so_without_a_trace(
    frame: Frame, caplog: pytest.LogCaptureFixture
) -> None:
    frame.ends(Fenced("not the leader any more; nothing was written"))

    assert frame.outcomes == {"unavailable": 1}
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]


def test_a_bug_is_logged_with_its_trace_and_backed_off(frame: Frame, caplog: pytest.LogCaptureFixture) -> None:
    frame.ends(ZeroDivisionError("oh"))

    assert frame.outcomes == {"error": 1}
    assert frame.queue.next_due() == pytest.approx(0.005, abs=1e-6)
    assert "ZeroDivisionError" in caplog.text


def test_success_resets_the_back_off(frame: Frame) -> None:
    for _ in range(5):
        frame.ends(Conflict("stale"))
        frame.clock.advance(seconds=1)
    frame.work()
    frame.ends(Conflict("stale"))

    assert frame.queue.next_due() == pytest.approx(0.005, abs=1e-6)


def test_a_report_that_conflicts_is_a_stale_look_too(frame: Frame) -> None:
    frame.reconciler.report_fails = Conflict("stale")
    frame.ends(Waiting(Reason.WORKFLOW_NOT_FOUND, "there is no workflow"))

    assert frame.outcomes == {"conflict": 1}
    assert frame.queue.next_due() == pytest.approx(0.005, abs=1e-6)


def test_what_is_not_there_is_let_go_of(frame: Frame) -> None:
    frame.obj = None
    frame.ends()

    assert frame.reconciler.gone_keys == [KEY]
    assert frame.reconciler.looks == 0


def test_a_key_is_free_again_however_its_reconcile_ended(frame: Frame) -> None:
    endings: list[Callable[[], Exception]] = [lambda: Conflict("x"), lambda: ValueError("x"), lambda: Unavailable("x")]
    for ending in endings:
        frame.ends(ending())
        frame.ends(DONE)

    assert frame.reconciler.looks == 6


def test_stopping_lets_what_is_under_way_finish(queue: WorkQueue) -> None:
    import threading

    entered, leave, left = threading.Event(), threading.Event(), threading.Event()

    class Slow(Scripted):
        def reconcile(self, obj: Obj) -> Result:
            entered.set()
            assert leave.wait(10)
            left.set()
            return DONE

    controller = Controller(Slow(), queue, lambda _: {"metadata": {}}, metrics=Totals(), workers=2)
    controller.start()
    queue.add(KEY)
    assert entered.wait(10)
    stopper = threading.Thread(target=controller.stop)
    stopper.start()
    leave.set()
    stopper.join(10)

    assert not stopper.is_alive()
    assert left.is_set()
