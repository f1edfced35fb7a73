"""What a pod prints about its run."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.run.events import Event
from sluice.runner.journal import Journal, lines_of

AT = 1_769_846_400_000_000
T0, T2 = "2026-01-31T08:00:00.000000Z", "2026-01-31T08:00:02.500000Z"


def ended(attempt: int = 1, **body: Any) -> Event:
    return Event("StepEnded", "fetch", attempt, AT + 2_500_000, {"started": AT} | body)


LINES: list[tuple[str, Event, list[str]]] = [
    ("a start", Event("StepStarted", "fetch", 2, AT, {}), [f"{T0} fetch started, attempt 2"]),
    (
        "a success",
        ended(phase="Succeeded", reason="Completed", output={"rows": 12}),
        [f"{T2} fetch Succeeded after 2.500s, attempt 1: Completed"],
    ),
    (
        "a success that printed",
        ended(phase="Succeeded", reason="Completed", log="one\n\n  two\n"),
        ["fetch| one", "fetch| ", "fetch|   two", f"{T2} fetch Succeeded after 2.500s, attempt 1: Completed"],
    ),
    (
        "a failure that is tried again",
        ended(phase="Failed", reason="CodeFailed", message="ValueError: no\nsuch  customer", retryAt=AT),
        [f"{T2} fetch Failed after 2.500s, attempt 1: CodeFailed: ValueError: no such customer; again at {T0}"],
    ),
    (
        "a skip",
        ended(0, phase="Skipped", reason="WhenFalse", message="its condition is false"),
        [f"{T2} fetch Skipped: WhenFalse: its condition is false"],
    ),
    (
        "an end without a start",
        ended(phase="Failed", reason="Cancelled", started=0),
        [f"{T2} fetch Failed, attempt 1: Cancelled"],
    ),
    (
        "a wish to cancel",
        Event("CancelRequested", "", 0, AT, {"by": "ana", "reason": "Cancelled"}),
        [f"{T0} sluice: the run is to end: Cancelled"],
    ),
    (
        "the end",
        Event("RunEnded", "", 0, AT, {"phase": "Failed", "reason": "CodeFailed", "failure": {}}),
        [f"{T0} sluice: the run ended: Failed, CodeFailed"],
    ),
    ("an event that this version does not know", Event("Rained", "", 0, AT, {}), []),
]


@pytest.mark.parametrize(("_", "event", "lines"), LINES, ids=[case[0] for case in LINES])
def test_the_lines_of_an_event(_: str, event: Event, lines: list[str]) -> None:
    assert list(lines_of(event)) == lines


def test_no_step_prints_a_line_that_looks_like_anybody_elses() -> None:
    sly = f"a\r{T0} pay started\x1b[2K\n{T0} pay Succeeded\x85b\x0bc\td\0"
    printed = list(lines_of(ended(phase="Succeeded", reason="Completed", log=sly)))[:-1]
    assert printed == [f"fetch| a?{T0} pay started?[2K", f"fetch| {T0} pay Succeeded?b?c\td?"]


def test_a_message_is_one_line_of_bounded_length() -> None:
    (line,) = lines_of(ended(phase="Failed", reason="CodeFailed", message="x\n" * 4000))
    assert "\n" not in line
    assert len(line) < 1200


def test_events_are_written_together_and_as_they_were_sent() -> None:
    written: list[str] = []
    Journal(written.append).record(
        [list(ended(phase="Succeeded", reason="Completed")), ["StepStarted", "b", 1, AT, {}]]
    )
    assert written == [f"{T2} fetch Succeeded after 2.500s, attempt 1: Completed\n{T0} b started, attempt 1\n"]


def test_the_same_trouble_is_told_once_until_all_is_well_again() -> None:
    written: list[str] = []
    journal = Journal(written.append, now=lambda: AT)
    for text in ("refused", "refused", "no route", "refused"):
        journal.say_once(text)
    journal.calm()
    journal.say_once("refused")
    assert written == [f"{T0} sluice: {text}\n" for text in ("refused", "no route", "refused")]
