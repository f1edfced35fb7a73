"""The workers of one trust domain and the tasks that wait for them.

A light step takes less time than a fork, so tasks queue for the workers that are there, and the pool grows only where
the queue does not move: where nothing was answered for some milliseconds it doubles, up to its bound. A worker is
killed when an attempt's time is over, when it is cancelled, and when what it says makes no sense.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from sluice.runner.process import WorkerProcess, describe_end, was_killed
from sluice.runner.protocol import Closed, Message, ProtocolError
from sluice.steps.outcome import EXITED, STEP_OOM, TIMED_OUT, Body, failed

PATIENCE = 0.004
"""Seconds without an answer after which a waiting queue gets more workers."""
LONG_QUEUE = 0.02
"""Seconds of a queue, even of one that moves, after which every processor gets a worker."""
IDLE = 10.0
"""Seconds after which a worker beyond the first is let go."""
_PROCESSORS = os.cpu_count() or 1


class Task(Protocol):
    """An attempt on its way to a worker. ``seconds`` is what it may take once it has a worker, 0 for ever."""

    number: int
    seconds: float

    def message(self, worker: WorkerProcess, now: float) -> Message:
        """What the worker is told; the first item is the number."""

    def begun(self, now: float) -> None:
        """It has a worker now."""

    def ended(self, body: Body) -> None:
        """It is over; ``body`` is that of a StepEnded. Called once."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """``workers``: how many processes at most. ``tasks``: how many tasks at a time in each."""

    workers: int
    tasks: int = 1


class Pool:
    """Workers of one kind; ``serve`` is what runs in them. Times are seconds of the monotonic clock."""

    def __init__(
        self, selector: selectors.BaseSelector, serve: Callable[[socket.socket, int], NoReturn], bounds: Bounds
    ) -> None:
        self.bounds = bounds
        self._selector = selector
        self._serve = serve
        self._queue: deque[Task] = deque()
        self._running: dict[int, tuple[Task, WorkerProcess, float]] = {}
        self._workers: list[WorkerProcess] = []
        self._free: list[WorkerProcess] = []
        self._dying: list[WorkerProcess] = []
        self._moved = 0.0
        self._waiting_since = 0.0
        self._born = 0

    @property
    def busy(self) -> bool:
        """Whether any task waits or runs."""
        return bool(self._queue or self._running)

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return [worker.pid for worker in self._workers]

    def warm(self) -> None:
        """Have a first worker get ready while nothing is to be done yet."""
        if not self._workers:
            self._hire()

    def submit(self, task: Task, now: float) -> None:
        """Run it as soon as a worker is free."""
        if not self._queue:
            self._moved = self._waiting_since = now
        self._queue.append(task)
        self._feed(now)

    def cancel(self, numbers: Iterable[int]) -> None:
        """Stop these tasks without a word to them; unknown numbers are over already."""
        unwanted = set(numbers)
        self._queue = deque(task for task in self._queue if task.number not in unwanted)
        for number in unwanted & self._running.keys():
            _, worker, _ = self._running.pop(number)
            self._abandon(worker, number)

    def answered(self, worker: WorkerProcess, now: float) -> None:
        """A worker's socket is ready: take its answers, or learn that it died. One that was removed meanwhile, in the
        same round, is nobody's any more."""
        if worker not in self._workers:
            return
        try:
            answers = worker.channel.receive()
        except Closed:
            self._died(worker)
        except ProtocolError:
            self._misbehaved(worker)
        else:
            worker.flush()
            self._watch(worker)
            for answer in answers:
                self._take(worker, answer, now)
        self._feed(now)

    def tick(self, now: float) -> float:
        """Look after timeouts, growth and the dead; the time of the next look, infinity for none."""
        for number, (_, worker, deadline) in list(self._running.items()):
            if deadline <= now:
                task, _, _ = self._running.pop(number)
                self._abandon(worker, number)
                task.ended(failed(TIMED_OUT, f"the attempt took longer than {task.seconds:g} s and was stopped"))
        self._dying = [worker for worker in self._dying if worker.bury(wait=False) is None]
        self._grow(now)
        self._feed(now)
        self._shrink(now)
        return self._next_look(now)

    def close(self) -> None:
        """Kill all workers and wait for them; tasks are forgotten."""
        self._queue.clear()
        self._running.clear()
        for worker in list(self._workers):
            self._remove(worker)
        for worker in self._dying:
            worker.bury(wait=True)
        self._dying = []

    def _feed(self, now: float) -> None:
        """Give waiting tasks to free workers; the first task of all gets a worker of its own at once."""
        if self._queue and not self._workers:
            self._hire()
        while self._queue and self._free:
            worker = self._free[-1]
            task = self._queue.popleft()
            message = task.message(worker, now)
            self._running[task.number] = (task, worker, now + task.seconds if task.seconds else float("inf"))
            task.begun(now)
            worker.give(task.number, message)
            self._watch(worker)
            if len(worker.tasks) >= self.bounds.tasks:
                self._free.pop()

    def _take(self, worker: WorkerProcess, answer: Message, now: float) -> None:
        if worker not in self._workers:
            return
        number = answer[0]
        if number not in worker.tasks or len(answer) != 2 or not _is_body(answer[1]):
            self._misbehaved(worker)
            return
        self._moved = now
        worker.tasks.discard(number)
        running = self._running.pop(number, None)
        self._settle(worker, answer[1], now)
        if running is not None:
            running[0].ended(answer[1])

    def _settle(self, worker: WorkerProcess, body: Body, now: float) -> None:
        """Where a worker belongs after an answer: among the free ones, on with what it has, or away."""
        forsaken = worker.tasks - self._running.keys()
        if body["reason"] == STEP_OOM or (forsaken and forsaken == worker.tasks):
            # Its memory is in pieces, or only what nobody wants any more keeps it.
            self._remove(worker)
        elif not forsaken and worker not in self._free:
            worker.idle_since = now
            self._free.append(worker)

    def _grow(self, now: float) -> None:
        if not self._queue:
            return
        room = min(self.bounds.workers - len(self._workers), len(self._queue))
        wanted = 0
        if now - self._moved >= PATIENCE:
            wanted, self._moved = max(1, len(self._workers)), now
        elif now - self._waiting_since >= LONG_QUEUE and len(self._workers) < _PROCESSORS:
            wanted, self._waiting_since = 1, now
        for _ in range(min(room, wanted)):
            self._hire()

    def _shrink(self, now: float) -> None:
        for worker in [worker for worker in self._free if not worker.tasks and now - worker.idle_since > IDLE]:
            if len(self._workers) > 1:
                self._remove(worker)

    def _next_look(self, now: float) -> float:
        looks = [deadline for _, _, deadline in self._running.values()]
        if self._dying:
            looks.append(now + 0.02)
        if self._queue and len(self._workers) < self.bounds.workers:
            looks.append(self._moved + PATIENCE)
        if len(self._workers) > 1:
            looks += [worker.idle_since + IDLE + 0.001 for worker in self._free if not worker.tasks]
        return min(looks, default=float("inf"))

    def _watch(self, worker: WorkerProcess) -> None:
        """Ask to hear when the socket takes more, while something could not be sent yet."""
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.channel.pending else 0)
        if wanted != worker.watched:
            worker.watched = wanted
            self._selector.modify(worker.channel, wanted, (self, worker))

    def _hire(self) -> None:
        self._born += 1
        place = self._born
        worker = WorkerProcess(lambda sock: self._serve(sock, place))
        self._workers.append(worker)
        self._free.append(worker)
        self._selector.register(worker.channel, selectors.EVENT_READ, (self, worker))

    def _abandon(self, worker: WorkerProcess, number: int) -> None:
        """A running task is not wanted any more. A worker of one task is killed; one of many goes on with the others,
        and when it has none left but those, it is killed too."""
        if any(other in self._running for other in worker.tasks - {number}):
            if worker in self._free:
                self._free.remove(worker)
            return
        self._remove(worker)

    def _died(self, worker: WorkerProcess) -> None:
        tasks = [self._running.pop(number)[0] for number in worker.tasks if number in self._running]
        self._forget(worker)
        worker.channel.close()
        status = worker.bury(wait=True) or 0
        for task in tasks:
            task.ended(_death(status))

    def _misbehaved(self, worker: WorkerProcess) -> None:
        tasks = [self._running.pop(number)[0] for number in worker.tasks if number in self._running]
        self._remove(worker)
        for task in tasks:
            task.ended(failed(EXITED, "the code's process answered with something that is no answer and was stopped"))

    def _remove(self, worker: WorkerProcess) -> None:
        self._forget(worker)
        worker.kill()
        self._dying.append(worker)

    def _forget(self, worker: WorkerProcess) -> None:
        self._selector.unregister(worker.channel)
        self._workers.remove(worker)
        if worker in self._free:
            self._free.remove(worker)


def _death(status: int) -> Body:
    if was_killed(status):
        return failed(
            STEP_OOM, "the step's process was killed, most likely because memory ran out; read less at a time"
        )
    return failed(EXITED, f"the step's process {describe_end(status)}; the log of this attempt is lost")


def _is_body(body: Any) -> bool:
    """Whether an answer can be a StepBody; it may come from code that took its worker over."""
    return (
        isinstance(body, dict)
        and body.get("phase") in ("Succeeded", "Failed")
        and isinstance(body.get("reason"), str)
        and isinstance(body.get("message", ""), str)
        and isinstance(body.get("log", ""), str)
        and isinstance(body.get("context", {}), dict)
        and not body.keys() & {"retryAt", "next", "started"}
    )
