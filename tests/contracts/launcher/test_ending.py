"""Cancelling, killing, closing, and steps that take their process down with them."""

from __future__ import annotations

import pytest

from sluice.domain.run.events import CANCEL_REQUESTED
from sluice.ports.launcher import Launcher
from tests.contracts.launcher.segments import LIMITS, definition, python, segment
from tests.contracts.launcher.sinks import Sink

FOREVER = "while True: pass"
# Iterating deeply nested iterators overflows the C stack: the interpreter dies.
CRASH = "a = zip([])\nfor _ in range(200000):\n    a = zip(a)\nfor _ in a: pass"


def test_cancelling_stops_steps_runs_finally_and_ends(launcher: Launcher, sink: Sink) -> None:
    graph = definition(
        python("a", FOREVER), python("b", "output = 1", "a"), **{"finally": [python("tell", "output = 7")]}
    )
    launcher.launch(segment(graph, run="r", epoch=3))
    sink.wait_started("r", "a")
    launcher.cancel("r", 3, reason="Cancelled")
    sink.wait_closed("r")
    assert sink.verdict("r").body["phase"] == "Cancelled"
    assert sink.ends("r")["tell"].body["output"] == 7
    assert sink.ends("r")["a"].body["reason"] == "Cancelled"
    assert CANCEL_REQUESTED in [event.kind for event in sink.events("r")]


def test_cancelling_another_epoch_is_ignored(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", FOREVER)), run="r", epoch=3))
    sink.wait_started("r", "a")
    launcher.cancel("r", 2, reason="Cancelled")
    launcher.cancel("none", 3, reason="Cancelled")
    launcher.cancel("r", 3, reason="RunTimedOut")
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["reason"] == "RunTimedOut"


def test_a_killed_run_says_nothing_more(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", FOREVER)), run="r", trust="t"))
    sink.wait_started("r", "a")
    launcher.kill("r")
    told = len(sink.events("r"))
    launcher.launch(segment(definition(python("a", FOREVER)), run="next", trust="t"))
    sink.wait_started("next", "a")
    assert len(sink.events("r")) == told
    assert sink.losses == []


def test_a_newer_epoch_takes_the_place_of_an_older_one(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", FOREVER)), run="r", epoch=1, trust="old"))
    sink.wait_started("r", "a")
    launcher.launch(segment(definition(python("a", "output = 1")), run="r", epoch=2, trust="new"))
    sink.wait_closed("r")
    assert {append.epoch for append in sink.appends if append.closes} == {2}


def test_closing_ends_what_runs_and_reports_no_loss(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", FOREVER)), run="r"))
    sink.wait_started("r", "a")
    launcher.close()
    launcher.close()
    assert sink.losses == []


@pytest.mark.parametrize(
    ("code", "reason", "message"),
    [
        (CRASH, "Exited", "SIGSEGV"),
        ("raise BaseException('gone')", "CodeFailed", "BaseException: gone (line 1)"),
        ("x = []\nwhile True: x.append(bytearray(10_000_000))", "StepOOM", "more memory than it may have"),
        ("x = 'a' * 10**10", "StepOOM", "more memory than it may have"),
        ("def f(): return f()\nf()", "CodeFailed", "RecursionError"),
        ("open('/etc/passwd')", "CodeNotAllowed", "open is not among the built-ins"),
        ("import os", "CodeNotAllowed", "the module os can't be imported"),
        ("output = {1, 2}", "OutputInvalid", "output is a set"),
        ("output = 'x' * 2_000_000", "OutputTooLarge", "storage"),
    ],
    ids=["crash", "exception", "memory", "memory at once", "recursion", "open", "import", "no JSON", "too large"],
)
def test_a_bad_step_is_a_failed_step_and_the_run_goes_on(
    launcher: Launcher, sink: Sink, code: str, reason: str, message: str
) -> None:
    """R122, R136: what was gathered stays, and an error branch may handle it."""
    bad = python("bad", code, "good", onError={"goto": "sorry"})
    graph = definition(python("good", "output = 1"), bad, python("sorry", "output = 2"))
    launcher.launch(segment(graph, run="r"))
    sink.wait_closed("r")
    body = sink.ends("r")["bad"].body
    assert body["reason"] == reason
    assert message in body["message"]
    assert sink.ends("r")["sorry"].body["output"] == 2
    assert sink.verdict("r").body["phase"] == "Succeeded"


@pytest.mark.parametrize(
    ("megabytes", "reason"), [(29, "Completed"), (33, "StepOOM")], ids=["just below its limit", "just above its limit"]
)
def test_a_step_may_have_the_memory_that_its_environment_allows(
    launcher: Launcher, sink: Sink, megabytes: int, reason: str
) -> None:
    code = f"output = len(bytearray({megabytes} * 2**20))"
    limits = LIMITS | {"stepMemory": 32 * 2**20}
    launcher.launch(segment(definition(python("a", code)), run="r", limits=limits))
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["reason"] == reason


@pytest.mark.parametrize("code", [FOREVER, "output = 10**10**9"])
def test_an_attempt_that_takes_too_long_is_stopped(launcher: Launcher, sink: Sink, code: str) -> None:
    graph = definition(python("a", code, timeout="200ms"), python("b", "output = 1"))
    launcher.launch(segment(graph, run="r"))
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["reason"] == "TimedOut"
    assert sink.ends("r")["b"].body["output"] == 1


def test_the_environments_limit_bounds_a_step_without_a_timeout(launcher: Launcher, sink: Sink) -> None:
    launcher.launch(segment(definition(python("a", FOREVER)), run="r", limits=LIMITS | {"stepTimeout": 0.2}))
    sink.wait_closed("r")
    assert sink.ends("r")["a"].body["reason"] == "TimedOut"


def test_a_failure_with_the_policy_cancel_stops_its_siblings(launcher: Launcher, sink: Sink) -> None:
    graph = definition(python("slow", FOREVER), python("bad", "1 / 0")) | {"failurePolicy": "Cancel"}
    launcher.launch(segment(graph, run="r"))
    sink.wait_closed("r")
    assert sink.ends("r")["slow"].body["reason"] == "Cancelled"
    assert sink.verdict("r").body["failure"]["step"] == "bad"
