"""kill -9 of the worker, the runner, the zygote and the controller: nothing is left, nothing is silently lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sluice.adapters.local.launcher import LocalLauncher
from tests.adapters.local.processes import children, descendants, is_running, kill, wait_until
from tests.contracts.launcher.segments import definition, python, segment
from tests.contracts.launcher.sinks import Sink

FOREVER = definition(python("a", "while True: pass"))
QUICK = definition(python("a", "output = 1"))

CONTROLLER = """
import sys, threading
from sluice.adapters.local.launcher import LocalLauncher
from tests.contracts.launcher.segments import definition, python, segment
from tests.contracts.launcher.sinks import Sink

sink = Sink()
launcher = LocalLauncher(sink)
launcher.launch(segment(definition(python("a", "while True: pass")), run="r"))
sink.wait_started("r", "a")
print(launcher.zygote_pid, flush=True)
threading.Event().wait()
"""


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def launcher(sink: Sink, tmp_path: Path) -> Iterator[LocalLauncher]:
    with closing(LocalLauncher(sink, scratch=tmp_path)) as made:
        yield made


def run_forever(launcher: LocalLauncher, sink: Sink, run: str = "r") -> int:
    """The pid of the runner in which a step runs that never ends."""
    launcher.launch(segment(FOREVER, run=run, trust=f"trust of {run}"))
    sink.wait_started(run, "a")
    return launcher.runner_pids[-1]


def test_a_killed_runner_loses_its_segments_and_no_others(launcher: LocalLauncher, sink: Sink) -> None:
    runner = run_forever(launcher, sink)
    other = run_forever(launcher, sink, "other")
    workers = children(runner)
    kill(runner)
    sink.wait_for(lambda: bool(sink.losses))
    assert [(run, unit, epoch) for run, unit, epoch, _ in sink.losses] == [("r", "main", 1)]
    assert sink.losses[0][3] == f"the runner process {runner} was ended by SIGKILL"
    wait_until(lambda: not any(map(is_running, workers)))
    assert is_running(other)


def test_after_a_loss_the_next_epoch_runs(launcher: LocalLauncher, sink: Sink) -> None:
    kill(run_forever(launcher, sink))
    sink.wait_for(lambda: bool(sink.losses))
    launcher.launch(segment(QUICK, run="r", trust="trust of r", epoch=2))
    sink.wait_closed("r")
    assert sink.appends[-1].epoch == 2


def test_a_killed_worker_is_a_failed_step(launcher: LocalLauncher, sink: Sink) -> None:
    (worker,) = children(run_forever(launcher, sink))
    kill(worker)
    assert sink.wait_ended("r", "a").body["reason"] == "StepOOM"
    sink.wait_closed("r")
    assert sink.losses == []


def test_a_killed_zygote_loses_all_segments_and_another_one_is_started(launcher: LocalLauncher, sink: Sink) -> None:
    runners = [run_forever(launcher, sink), run_forever(launcher, sink, "other")]
    everybody = descendants(launcher.zygote_pid)
    first = launcher.zygote_pid
    kill(first)
    sink.wait_for(lambda: len(sink.losses) == 2)
    assert sorted(loss[0] for loss in sink.losses) == ["other", "r"]
    wait_until(lambda: not any(map(is_running, [*runners, *everybody])))
    launcher.launch(segment(QUICK, run="after"))
    sink.wait_closed("after")
    assert launcher.zygote_pid != first


def test_closing_leaves_no_process_and_no_folder(sink: Sink, tmp_path: Path) -> None:
    launcher = LocalLauncher(sink, scratch=tmp_path)
    run_forever(launcher, sink)
    everybody = [launcher.zygote_pid, *descendants(launcher.zygote_pid)]
    assert len(everybody) == 3
    launcher.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in everybody)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_controller_leaves_no_process() -> None:
    with subprocess.Popen([sys.executable, "-c", CONTROLLER], stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        zygote = int(controller.stdout.readline())
        everybody = [zygote, *descendants(zygote)]
        assert len(everybody) == 3
        os.kill(controller.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, everybody)))


def test_an_idle_runner_leaves_and_the_next_segment_gets_another(sink: Sink, tmp_path: Path) -> None:
    with closing(LocalLauncher(sink, scratch=tmp_path, idle=0.05)) as launcher:
        launcher.launch(segment(QUICK, run="first", trust="t"))
        sink.wait_closed("first")
        wait_until(lambda: not children(launcher.zygote_pid))
        launcher.launch(segment(QUICK, run="second", trust="t"))
        sink.wait_closed("second")
        assert sink.losses == []


def test_a_warm_runner_serves_the_same_trust_and_no_other(launcher: LocalLauncher, sink: Sink) -> None:
    for number, trust in enumerate(["a", "a", "b"]):
        launcher.launch(segment(QUICK, run=f"r{number}", trust=trust))
        sink.wait_closed(f"r{number}")
    assert len(children(launcher.zygote_pid)) == 2


def test_a_sink_that_fails_loses_the_segment_instead_of_hanging_it(sink: Sink, tmp_path: Path) -> None:
    class Broken(Sink):
        def appended(self, append, acknowledge) -> None:
            raise RuntimeError("no room")

    broken = Broken()
    with closing(LocalLauncher(broken, scratch=tmp_path)) as launcher:
        launcher.launch(segment(QUICK, run="r"))
        broken.wait_for(lambda: bool(broken.losses))
    assert broken.losses[0][0] == "r"


def test_a_runner_that_hangs_for_the_lease_is_killed_and_its_segments_are_lost(sink: Sink, tmp_path: Path) -> None:
    with closing(LocalLauncher(sink, scratch=tmp_path, lease=2)) as launcher:
        runner = run_forever(launcher, sink)
        os.kill(runner, signal.SIGSTOP)
        sink.wait_for(lambda: bool(sink.losses))
        assert not is_running(runner)


@pytest.mark.full
def test_a_busy_runner_that_has_nothing_to_say_keeps_its_segments(sink: Sink, tmp_path: Path) -> None:
    with closing(LocalLauncher(sink, scratch=tmp_path, lease=4)) as launcher:
        graph = definition(python("a", "while True: pass", timeout="8s"))
        launcher.launch(segment(graph, run="r"))
        sink.wait_closed("r")
        assert sink.losses == []
