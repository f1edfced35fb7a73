"""Segments in flight: how they end, get lost, are fenced, and what happens when the ledger can't write."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.run.events import RUN_ENDED, STEP_ENDED, Event
from sluice.ports.errors import Unavailable
from sluice.ports.launcher import Append, LaunchRefused, RunIdentity, Segment
from sluice.runtime.engine import PROGRESS_PACE, RunEngine
from sluice.runtime.queue import Key
from tests.simulation.embedded import HandClock

KEY = Key("default", "r")


class Log:
    """The part of a ledger that the engine uses: answers each append as it is told to."""

    def __init__(self) -> None:
        self.answer: bool | BaseException = True
        self.appends: list[Append] = []

    def append(self, append: Append, done: Any) -> None:
        self.appends.append(append)
        done(self.answer)


class Launches:
    """A launcher that only remembers."""

    def __init__(self, *, remote: bool = False) -> None:
        self.remote = remote
        self.adopts = self.begun = True
        self.launched: list[int] = []
        self.cancelled: list[tuple[str, int, str]] = []
        self.killed: list[str] = []
        self.told: list[tuple[str, Event]] = []
        self.fails = False
        self.refusal: LaunchRefused | None = None

    def launch(self, segment: Segment) -> None:
        self._require_place()
        if self.fails:
            raise OSError("no more processes")
        self.launched.append(segment.epoch)

    def prepare(self, placement: Any) -> None:
        """Nothing is needed."""

    def adopt(self, segment: Segment) -> bool:
        self._require_place()
        return self.adopts

    def _require_place(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def cancel(self, run_uid: str, epoch: int, *, reason: str) -> bool:
        self.cancelled.append((run_uid, epoch, reason))
        return self.begun

    def tell(self, run_uid: str, event: Event) -> None:
        self.told.append((run_uid, event))

    def kill(self, run_uid: str) -> None:
        self.killed.append(run_uid)

    def close(self) -> None:
        """Nothing runs."""


class Bench:
    def __init__(self, clock: HandClock, *, remote: bool = False) -> None:
        self.clock, self.log, self.launcher = clock, Log(), Launches(remote=remote)
        self.woken: list[tuple[Key, float]] = []
        self.engine = RunEngine(self.log, clock, lambda key, after: self.woken.append((key, after)))  # type: ignore[arg-type]
        self.engine.attach(self.launcher)

    def launch(self, epoch: int = 1) -> None:
        run = RunIdentity("uid", "wfr_x", "default", "r", "greet", "sandbox", 1)
        self.engine.launch(Segment(run, "main", epoch, "trust", 1, {}, {}, {}))

    def tell(self, *events: Event, closes: bool = False, epoch: int = 1) -> list[bool]:
        answers: list[bool] = []
        self.engine.appended(Append("uid", "main", epoch, 1, events, closes), answers.append)
        return answers

    def flight(self) -> Any:
        return self.engine.flight("uid")


@pytest.fixture
def bench(clock: HandClock) -> Bench:
    bench = Bench(clock)
    bench.launch()
    return bench


def done(step: str = "a") -> Event:
    return Event(STEP_ENDED, step, 1, 5, {"phase": "Succeeded"})


END = Event(RUN_ENDED, "", 0, 9, {"phase": "Succeeded"})


def test_steps_wake_nobody_and_are_acknowledged(bench: Bench) -> None:
    assert bench.tell(done()) == [True]
    assert bench.woken == []


def test_the_end_wakes_the_run_and_is_kept_with_its_time(bench: Bench) -> None:
    bench.tell(done(), END, closes=True)

    assert bench.woken == [(KEY, 0.0)]
    assert (bench.flight().end, bench.flight().ended) == ({"phase": "Succeeded"}, 9)
    assert not bench.flight().paused


def test_a_segment_that_closes_without_an_end_waits(bench: Bench) -> None:
    bench.tell(closes=True)

    assert bench.flight().paused
    assert bench.woken == [(KEY, 0.0)]
    assert bench.engine.in_flight == 0


def test_a_run_that_takes_longer_is_looked_at_as_its_steps_end(bench: Bench, clock: HandClock) -> None:
    clock.advance(seconds=PROGRESS_PACE + 1)
    bench.tell(done())

    assert bench.woken == [(KEY, PROGRESS_PACE)]


def test_a_loss_wakes_the_run_and_counts(bench: Bench) -> None:
    bench.engine.lost("uid", "main", 1, "killed by signal 9")

    assert (bench.flight().lost, bench.flight().losses) == ("killed by signal 9", 1)
    assert bench.woken == [(KEY, 0.0)]


def test_losses_in_a_row_add_up_and_a_step_done_ends_the_row(bench: Bench) -> None:
    for epoch in (1, 2):
        bench.engine.lost("uid", "main", epoch, "killed")
        bench.launch(epoch + 1)
    assert bench.flight().losses == 2

    bench.tell(done(), epoch=3)
    assert bench.flight().losses == 0


def test_the_loss_of_an_older_epoch_is_no_loss(bench: Bench) -> None:
    bench.launch(2)
    bench.engine.lost("uid", "main", 1, "killed")

    assert (bench.flight().lost, bench.flight().losses, bench.woken) == ("", 0, [])


def test_a_loss_after_the_end_changes_nothing(bench: Bench) -> None:
    bench.tell(END, closes=True)
    bench.engine.lost("uid", "main", 1, "the runner left")

    assert bench.flight().lost == ""


def test_a_segment_that_was_fenced_is_refused_and_the_run_looked_at(bench: Bench) -> None:
    bench.log.answer = False

    assert bench.tell(done()) == [False]
    assert bench.flight().lost == "a newer epoch was raised"
    assert bench.flight().losses == 0
    assert bench.woken == [(KEY, 0.0)]


def test_a_late_word_of_an_older_segment_does_not_end_the_newer_one(bench: Bench) -> None:
    bench.launch(2)
    bench.tell(END, closes=True, epoch=1)

    assert bench.flight().end is None
    assert not bench.flight().paused


def test_a_full_disk_refuses_the_events_and_is_not_held_against_the_run(bench: Bench) -> None:
    bench.log.answer = Unavailable("the disk is full")

    assert bench.tell(done()) == [False]
    assert "the disk is full" in bench.flight().lost
    assert bench.flight().losses == 0


def test_an_append_that_can_never_be_written_counts_as_a_loss(bench: Bench) -> None:
    bench.log.answer = ValueError("not JSON")
    bench.tell(done())

    assert bench.flight().losses == 1


def test_what_could_not_be_launched_is_launched_again(clock: HandClock) -> None:
    bench = Bench(clock)
    bench.launcher.fails = True
    with pytest.raises(OSError, match="no more processes"):
        bench.launch()

    assert bench.flight().lost == "it could not be launched: no more processes"


def test_a_run_is_cancelled_once(bench: Bench) -> None:
    bench.engine.cancel("uid", "Cancelled")
    bench.engine.cancel("uid", "Cancelled")
    bench.engine.cancel("nobody", "Cancelled")

    assert bench.launcher.cancelled == [("uid", 1, "Cancelled")]


def test_the_next_segment_can_be_cancelled_anew(bench: Bench) -> None:
    bench.engine.cancel("uid", "Cancelled")
    bench.launch(2)
    bench.engine.cancel("uid", "Cancelled")

    assert [epoch for _, epoch, _ in bench.launcher.cancelled] == [1, 2]


def test_a_killed_run_is_forgotten_and_its_last_words_are_too(bench: Bench) -> None:
    bench.engine.kill("uid")
    bench.engine.kill("uid")
    bench.tell(END, closes=True)

    assert bench.launcher.killed == ["uid"]
    assert bench.flight() is None
    assert bench.woken == []


def test_without_a_launcher_it_says_so(clock: HandClock) -> None:
    engine = RunEngine(Log(), clock, lambda key, after: None)  # type: ignore[arg-type]
    run = RunIdentity("uid", "wfr_x", "default", "r", "greet", "sandbox", 1)
    with pytest.raises(RuntimeError, match="attach"):
        engine.launch(Segment(run, "main", 1, "trust", 1, {}, {}, {}))
