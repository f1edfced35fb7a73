"""Every way in which a pod ends before its segment does, or after it: the exit status, what is said, what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from sluice.domain.run.events import Event
from tests.contracts.launcher.segments import definition, python
from tests.runner.authority import Vouched
from tests.runner.playing import Conversation, Played, Refusal, playing
from tests.runner.pods import Pod, arguments, pod

FOREVER = definition(python("a", "while True: pass"))
QUICK = definition(python("a", "output = 1"))
BEGUN_THEN_FOREVER = definition(python("a", "output = 1"), python("b", "while True: pass", "a"))


def children(pid: int) -> list[int]:
    """The processes below this one, nearest first."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return found + [below for child in found for below in children(child)]


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in pids):
        assert time.monotonic() < end, "a process is left behind"
        time.sleep(0.01)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for_step(played: Played, runs: Pod) -> list[int]:
    """Until the first step is known to run; the processes of the pod."""
    played.wait_for(lambda: played.ledger or runs.process.poll() is not None)
    return [runs.process.pid, *children(runs.process.pid)]


def last_line(runs: Pod) -> str:
    return runs.printed.splitlines()[-1].partition(" ")[2]


@pytest.mark.parametrize(
    ("status", "times", "why"),
    [
        (403, "", "this segment is not this pod's"),
        (409, "", "another pod or epoch"),
        (401, "patience=0.3", "does not accept this pod's token"),
        (404, "patience=0.3", "does not know this segment"),
    ],
)
def test_a_pod_that_is_refused_stops(vouched: Vouched, tmp_path: Path, status: int, times: str, why: str) -> None:
    played = Played(QUICK)
    played.refusals += [Refusal(status)] * 100
    with (
        playing(played, vouched),
        pod(arguments(played.url, vouched, tmp_path), tmp_path, times=times) as runs,
    ):
        assert runs.wait() == 3, runs.printed
        assert why in last_line(runs)
        assert len(played.requests) == 1 or times


def test_a_pod_that_is_refused_in_the_middle_stops_its_steps(vouched: Vouched, tmp_path: Path) -> None:
    async def script(conversation: Conversation, message: list[object]) -> None:
        if message[0] == "events":
            played.refusals.append(Refusal(409))
            await conversation.socket.close(1011)

    played = Played(FOREVER, script=script)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        played.wait_for(lambda: played.refusals)
        pids = children(runs.process.pid)
        assert runs.wait() == 3, runs.printed
        wait_until_gone(pids)


def test_a_segment_of_an_old_epoch_is_let_go(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(BEGUN_THEN_FOREVER, accepted=False)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        assert runs.wait() == 0
        assert "newer epoch" in last_line(runs)


def test_a_segment_that_is_dropped_ends_at_once(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(FOREVER)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        pids = wait_for_step(played, runs)
        played.say(["drop", 1])
        assert runs.wait() == 0
        wait_until_gone(pids)
    assert played.told == ["StepStarted a"]


def test_a_run_that_is_cancelled_is_brought_to_its_end(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(FOREVER)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        wait_for_step(played, runs)
        played.say(["cancel", 1, "Cancelled"])
        assert runs.wait() == 0
    assert played.told == ["StepStarted a", "CancelRequested", "StepEnded a", "RunEnded"]


def test_a_segment_may_end_with_nothing_but_waits(vouched: Vouched, tmp_path: Path) -> None:
    """Nothing is left to record, so the closing append has no events."""
    graph = definition(python("a", "output = 1"), {"name": "w", "needs": ["a"], "logic": {"wait": {"for": "1h"}}})
    now = time.time_ns() // 1000
    history = [
        Event("StepStarted", "a", 1, now, {}),
        Event("StepEnded", "a", 1, now, {"phase": "Succeeded", "reason": "Completed", "output": 1}),
    ]
    played = Played(graph, history=history)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        assert runs.wait() == 0, runs.printed
    assert played.closed


def test_a_pod_without_a_word_of_the_controller_stops_when_the_lease_is_over(vouched: Vouched, tmp_path: Path) -> None:
    """The line holds, and even pings are answered: that is no word of the controller."""
    played = Played(FOREVER, terms={"lease": 0.5})
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        pids = wait_for_step(played, runs)
        assert runs.wait() == 4
        assert "silent for too long" in last_line(runs)
        wait_until_gone(pids)
    assert played.told == ["StepStarted a"]


def test_a_pod_with_a_broken_line_stops_when_the_lease_is_over(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(FOREVER, terms={"lease": 1.0})
    with contextlib.ExitStack() as there:
        there.enter_context(playing(played, vouched))
        with pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
            wait_for_step(played, runs)
            there.close()
            assert runs.wait() == 4


def test_heartbeats_keep_a_pod_alive_beyond_its_lease(vouched: Vouched, tmp_path: Path) -> None:
    async def script(conversation: Conversation, message: list[object]) -> None:
        if message[0] == "events" and not beats:
            await conversation.say(["heartbeat"])
        elif message[0] == "heartbeat":
            beats.append(time.monotonic())
            await asyncio.sleep(0.1)
            await conversation.say(["heartbeat"] if beats[-1] - beats[0] < 1.2 else ["cancel", 1, "Cancelled"])

    beats: list[float] = []
    played = Played(FOREVER, terms={"lease": 0.4}, script=script)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        assert runs.wait() == 0, runs.printed
    assert played.told[-1] == "RunEnded"


def test_a_pod_that_gets_no_work_gives_up(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(QUICK, assigns=False)
    with (
        playing(played, vouched),
        pod(arguments(played.url, vouched, tmp_path), tmp_path, times="unassigned=0.5") as runs,
    ):
        assert runs.wait() == 4
        assert "no controller gave this pod its work" in last_line(runs)


def test_a_pod_whose_runner_dies_says_how(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(FOREVER)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        pids = wait_for_step(played, runs)
        os.kill(pids[1], signal.SIGKILL)
        assert runs.wait() == 5
        assert last_line(runs) == "sluice: the process that runs the steps was ended by SIGKILL"
        wait_until_gone(pids)
    assert played.farewells == [(1001, "the process that runs the steps was ended by SIGKILL")]


def test_what_a_runner_said_before_it_died_is_still_recorded(vouched: Vouched, tmp_path: Path) -> None:
    def script(conversation: Conversation, message: list[object]) -> None:
        if message[0] == "events" and not killed:
            pids = children(runs.process.pid)
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)
            wait_until_gone(pids)

    killed: list[int] = []
    played = Played(BEGUN_THEN_FOREVER, script=script)
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        assert runs.wait() == 5
    assert played.told[:2] == ["StepStarted a", "StepEnded a"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("run", ""), ("epoch", "x"), ("ca", "-----BEGIN CERTIFICATE-----\nAAAA\n"), ("speed", "high")],
)
def test_a_wrong_argument_is_told_by_name(vouched: Vouched, tmp_path: Path, name: str, value: str) -> None:
    told = arguments("https://127.0.0.1:9", vouched, tmp_path) | {name: value}
    with pod(told, tmp_path) as runs:
        assert runs.wait() == 2
        assert last_line(runs).startswith(f"sluice: --{name}")


def test_a_token_file_that_is_not_there_yet_is_waited_for(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(QUICK)
    with playing(played, vouched):
        told = arguments(played.url, vouched, tmp_path)
        (tmp_path / "token").unlink()
        with pod(told, tmp_path) as runs:
            while "No such file" not in runs.printed:
                assert runs.process.poll() is None
                time.sleep(0.01)
            (tmp_path / "token").write_text("late")
            assert runs.wait() == 0
    assert played.requests[0][1] == "Bearer late"


class TestTermination:
    """SIGTERM, which a deleted or evicted pod gets."""

    def test_what_is_in_flight_is_still_recorded(self, vouched: Vouched, tmp_path: Path) -> None:
        code = (
            "import datetime as d\nend = d.datetime.now() + d.timedelta(seconds=1)\nwhile d.datetime.now() < end: pass"
        )
        played = Played(definition(python("a", code)))
        with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
            wait_for_step(played, runs)
            assert played.told == ["StepStarted a"]
            runs.process.send_signal(signal.SIGTERM)
            assert runs.wait() == 0
        assert "the pod is told to end" in runs.printed
        assert played.told == ["StepStarted a", "StepEnded a", "RunEnded"]
        assert played.ledger[-1].body["phase"] == "Succeeded"

    def test_a_pod_ends_when_its_grace_is_nearly_over(self, vouched: Vouched, tmp_path: Path) -> None:
        played = Played(FOREVER)
        with (
            playing(played, vouched),
            pod(arguments(played.url, vouched, tmp_path), tmp_path, times="grace=0.3") as runs,
        ):
            pids = wait_for_step(played, runs)
            runs.process.send_signal(signal.SIGTERM)
            assert runs.wait() == 143, runs.printed
            wait_until_gone(pids)
        assert played.farewells[-1][0] == 1001

    def test_a_pod_without_work_ends_at_once(self, vouched: Vouched, tmp_path: Path) -> None:
        played = Played(QUICK, assigns=False)
        with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
            played.wait_for(lambda: played.hellos)
            runs.process.send_signal(signal.SIGTERM)
            assert runs.wait() == 143, runs.printed
