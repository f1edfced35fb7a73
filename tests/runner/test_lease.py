"""A runner without a controller: it stops by its own clock, and at once when the link is closed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.runner.main import serve
from sluice.runner.protocol import Channel
from tests.contracts.launcher.segments import definition, python

TERMS = {"level": 1, "limits": {"parallelSteps": 2}, "keep": 60, "idle": 60, "lease": 0.3}


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
