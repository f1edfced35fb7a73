"""Whose time it is: a runner on another machine goes by the controller's."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from sluice.domain.run.events import Event
from sluice.runner.main import serve
from sluice.runner.protocol import Channel, Message
from tests.contracts.launcher.segments import definition, python
from tests.runner.test_lease import TERMS

PATIENCE_S = 20
HOUR = 3_600_000_000


@pytest.mark.parametrize("skew", [-HOUR, 0, HOUR])
def test_times_of_events_are_the_controller_s(tmp_path: Path, skew: int) -> None:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        serve(theirs)
    theirs.close()
    channel = Channel(ours)
    given = {"payload": None, "params": {}, "env": {}, "run": {}, "trigger": {}}
    segment = {"run": {"uid": "r"}, "unit": "main", "epoch": 1, "input": given, "history": [], "deadline": 0}
    terms = TERMS | {"definition": definition(python("a", "output = 1")), "scratch": str(tmp_path), "lease": 60}
    channel.put(["define", terms | {"now": _now() + skew}])
    channel.put(["assign", 1, segment])
    channel.flush()
    ended = _first_events(channel)[-1]
    channel.close()
    os.waitpid(pid, 0)

    assert abs(ended.at - (_now() + skew)) < PATIENCE_S * 1_000_000


def _now() -> int:
    return time.time_ns() // 1000


def _first_events(channel: Channel) -> list[Event]:
    messages: list[Message] = []
    channel.sock.settimeout(PATIENCE_S)
    while not messages:
        messages = [message for message in channel.receive() if message[0] == "events"]
    return [Event(*event) for event in messages[0][3]]
