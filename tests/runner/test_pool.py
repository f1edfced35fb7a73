"""Workers under load: real processes, told what to do by their task."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from sluice.runner.pool import Bounds, Pool
from sluice.runner.process import WorkerProcess
from sluice.runner.protocol import Frames, Message, encode

GOOD = {"phase": "Succeeded", "reason": "Completed", "output": 1}


def serve(sock: socket.socket, _: int) -> NoReturn:
    """Do what each task says: answer, hang, die, or talk nonsense."""
    frames = Frames()
    while data := sock.recv(65536):
        for number, what in frames.feed(data):
            if what == "hang":
                signal.pause()
            elif what == "exit":
                os._exit(3)
            elif what == "nonsense":
                sock.sendall(encode([number, {"phase": "Excellent"}]))
            elif what == "another":
                sock.sendall(encode([number + 1000, GOOD]))
            elif what == "garbage":
                sock.sendall(b"\0\0\0\5hello")
            elif what == "flood":
                sock.sendall(b"\xff\xff\xff\xff")
            else:
                sock.sendall(encode([number, GOOD | {"output": os.getpid()}]))
    os._exit(0)


class Task:
    def __init__(self, number: int, what: str, seconds: float = 0) -> None:
        self.number = number
        self.seconds = seconds
        self.what = what
        self.body: dict[str, Any] | None = None

    def message(self, _: WorkerProcess, __: float) -> Message:
        return [self.number, self.what]

    def begun(self, _: float) -> None:
        """Not of interest here."""

    def ended(self, body: dict[str, Any]) -> None:
        assert self.body is None
        self.body = body


class Bench:
    """A pool and its loop."""

    def __init__(self, bounds: Bounds) -> None:
        self.selector = selectors.DefaultSelector()
        self.pool = Pool(self.selector, serve, bounds)
        self.look = 0.0

    def submit(self, *tasks: Task) -> None:
        for task in tasks:
            self.pool.submit(task, time.monotonic())
        self.look = self.pool.tick(time.monotonic())

    def run_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            for key, _ in self.selector.select(max(0, min(self.look - time.monotonic(), 0.1))):
                pool, worker = key.data
                pool.answered(worker, time.monotonic())
            self.look = self.pool.tick(time.monotonic())

    def close(self) -> None:
        self.pool.close()
        self.selector.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(Bounds(4))
    yield made
    made.close()


def test_light_tasks_stay_on_few_workers(bench: Bench) -> None:
    tasks = [Task(n, "answer") for n in range(1, 101)]
    bench.submit(*tasks)
    bench.run_until(lambda: all(task.body for task in tasks))
    assert len({task.body["output"] for task in tasks if task.body}) <= 4


def test_a_queue_that_does_not_move_gets_more_workers(bench: Bench) -> None:
    tasks = [Task(n, "hang") for n in range(1, 4)]
    quick = Task(9, "answer")
    bench.submit(*tasks, quick)
    bench.run_until(lambda: quick.body is not None)
    assert len(bench.pool.pids) == 4


def test_there_are_never_more_workers_than_the_bound(bench: Bench) -> None:
    tasks = [Task(n, "hang", seconds=0.1) for n in range(1, 9)]
    bench.submit(*tasks)
    most: list[int] = []
    bench.run_until(lambda: bool(most.append(len(bench.pool.pids))) or all(task.body for task in tasks))
    assert max(most) == 4
    assert {task.body["reason"] for task in tasks if task.body} == {"TimedOut"}


@pytest.mark.parametrize("what", ["nonsense", "another", "garbage", "flood"])
def test_a_worker_that_makes_no_sense_is_stopped(bench: Bench, what: str) -> None:
    bad, good = Task(1, what), Task(2, "answer")
    bench.submit(bad, good)
    bench.run_until(lambda: bad.body is not None and good.body is not None)
    assert bad.body is not None
    assert bad.body["reason"] == "Exited"


def test_a_worker_that_exits_says_so(bench: Bench) -> None:
    task = Task(1, "exit")
    bench.submit(task)
    bench.run_until(lambda: task.body is not None)
    assert task.body is not None
    assert "exit status 3" in task.body["message"]


def test_a_cancelled_task_is_never_heard_of_again(bench: Bench) -> None:
    running, waiting, next_one = Task(1, "hang"), Task(2, "answer"), Task(3, "answer")
    bench.submit(running)
    pids = bench.pool.pids
    bench.submit(waiting)
    bench.pool.cancel([1, 2])
    bench.submit(next_one)
    bench.run_until(lambda: next_one.body is not None)
    assert (running.body, waiting.body) == (None, None)
    assert next_one.body is not None
    assert next_one.body["output"] not in pids


def test_the_last_words_of_a_cancelled_worker_are_ignored(bench: Bench) -> None:
    task = Task(1, "answer")
    bench.submit(task)
    (key, _), *_ = bench.selector.select(5)
    bench.pool.cancel([1])
    bench.pool.answered(key.data[1], time.monotonic())
    assert task.body is None
    assert bench.pool.pids == []


def test_a_worker_of_many_tasks_survives_the_cancelling_of_one() -> None:
    bench = Bench(Bounds(workers=1, tasks=4))
    tasks = [Task(1, "answer"), Task(2, "answer"), Task(3, "answer")]
    bench.submit(*tasks)
    bench.pool.cancel([2])
    bench.run_until(lambda: tasks[0].body is not None and tasks[2].body is not None)
    assert tasks[1].body is None
    assert len(bench.pool.pids) == 1
    bench.close()


def test_closing_leaves_no_child(bench: Bench) -> None:
    bench.submit(Task(1, "hang"))
    bench.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
