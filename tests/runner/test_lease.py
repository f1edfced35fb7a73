"""A runner without a controller: it stops by its own clock, and at once when the link is closed."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.runner.main import serve
from sluice.runner.protocol import Channel, Closed
from tests.contracts.launcher.segments import definition, python

TERMS: dict[str, Any] = {"level": 1, "limits": {"parallelSteps": 2}, "keep": 60, "idle": 60, "lease": 0.3}


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[tuple[Channel, int]]:
    """The link to a runner that has a step which never ends, and its pid."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        serve(theirs)
    theirs.close()
    channel = Channel(ours)
    forever = definition(python("a", "while True: pass"))
    given = {"payload": None, "params": {}, "env": {}, "run": {}, "trigger": {}}
    segment = {"run": {"uid": "r"}, "unit": "main", "epoch": 1, "input": given, "history": [], "deadline": 0}
    channel.put(["define", TERMS | {"definition": forever, "scratch": str(tmp_path)}])
    channel.put(["assign", 1, segment])
    channel.flush()
    yield channel, pid
    channel.close()


def test_a_runner_stops_when_the_controller_is_silent_for_the_lease(runner: tuple[Channel, int]) -> None:
    assert os.waitpid(runner[1], 0)[1] == 0


def test_a_runner_stops_at_once_when_its_link_is_closed(runner: tuple[Channel, int]) -> None:
    runner[0].close()
    assert os.waitpid(runner[1], 0)[1] == 0


def test_a_runner_that_is_told_nonsense_stops(runner: tuple[Channel, int]) -> None:
    runner[0].put(["dance"])
    runner[0].flush()
    assert os.waitpid(runner[1], 0)[1] == 0


def test_a_runner_that_stood_still_for_the_lease_stops_whatever_was_said_meanwhile(runner: tuple[Channel, int]) -> None:
    """What waited for it was said in time, but by now somebody else may have its segment."""
    channel, pid = runner
    select.select([channel], [], [])
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    asleep = time.monotonic() + TERMS["lease"] + 0.1
    while time.monotonic() < asleep:
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        beat(channel)
    os.kill(pid, signal.SIGCONT)
    end = time.monotonic() + 10
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() < end, "it goes on"
        beat(channel)


def beat(channel: Channel) -> None:
    channel.put(["heartbeat"])
    with contextlib.suppress(Closed):
        channel.flush()
    time.sleep(0.02)
