"""What is passed on between controller and Runner, message by message and through broken lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.runner.exchange import Exchange
from sluice.runner.protocol import Message, ProtocolError

DEFINE: Message = ["define", {"definition": {}, "idle": 30, "scratch": "/theirs", "lease": 600}]
ASSIGN: Message = ["assign", 1, {"run": {"uid": "r"}}]
EVENTS: Message = ["events", 1, 1, [["StepStarted", "a", 1, 0, {}], ["StepEnded", "a", 1, 0, {}]], False]
CLOSE: Message = ["events", 1, 3, [["RunEnded", "", 0, 0, {}]], True]
HERE: Message = ["define", {"definition": {}, "idle": 0, "scratch": "/scratch", "lease": 600}]


@dataclass
class Talk:
    """An exchange, and everything it let pass."""

    said: list[str] = field(default_factory=list)
    to_runner: list[Message] = field(default_factory=list)
    to_controller: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exchange = Exchange("/scratch", version="1.2.3", say_once=self.said.append)

    def connect(self) -> None:
        self.exchange.connect()
        self._pass_on()

    def controller(self, *messages: Message) -> None:
        for message in messages:
            self.exchange.hear_controller(orjson.dumps(message))
            self._pass_on()

    def runner(self, *messages: Message) -> None:
        for message in messages:
            self.exchange.hear_runner(message)
            self._pass_on()

    def _pass_on(self) -> None:
        self.to_runner += map(orjson.loads, self.exchange.for_runner)
        self.to_controller += map(orjson.loads, self.exchange.for_controller)
        self.exchange.for_runner.clear()
        self.exchange.for_controller.clear()
        while entry := self.exchange.outbox.next_unsent():
            self.to_controller.append(orjson.loads(entry.body))


@pytest.fixture
def talk() -> Talk:
    """Connected, and the segment is assigned."""
    made = Talk()
    made.connect()
    made.controller(DEFINE, ASSIGN)
    return made


def test_a_pod_says_hello_and_passes_its_work_on() -> None:
    talk = Talk()
    talk.connect()
    assert talk.to_controller == [["hello", {"assigned": False, "version": "1.2.3"}]]
    talk.controller(DEFINE)
    assert talk.to_runner == []
    talk.controller(ASSIGN)
    assert talk.to_runner == [HERE, ASSIGN]


def test_terms_and_work_reach_the_runner_once_however_often_the_line_breaks_between_them() -> None:
    talk = Talk()
    for _ in range(3):
        talk.connect()
        talk.controller(DEFINE)
    talk.controller(ASSIGN)
    talk.connect()
    talk.controller(DEFINE, ASSIGN)
    assert talk.to_runner == [HERE, ASSIGN]
    assert [message[1]["assigned"] for message in talk.to_controller] == [False, False, False, True]


def test_appends_go_out_and_again_after_a_new_hello(talk: Talk) -> None:
    talk.runner(EVENTS)
    talk.connect()
    assert [message[0] for message in talk.to_controller] == ["hello", "events", "hello", "events"]
    talk.controller(["ack", 1, 2, True])
    talk.connect()
    assert talk.to_controller[4:] == [["hello", {"assigned": True, "version": "1.2.3"}]]


def test_the_runner_hears_every_acknowledgement(talk: Talk) -> None:
    talk.runner(EVENTS)
    talk.controller(["ack", 1, 2, True], ["ack", 1, 2, True])
    assert talk.to_runner[2:] == [["ack", 1, 2, True]] * 2
    assert not talk.exchange.over


def test_the_runner_is_told_of_ends_elsewhere_as_often_as_they_are_said(talk: Talk) -> None:
    told = ["told", 1, ["StepEnded", "deploy", 1, 7, {"phase": "Succeeded"}]]
    talk.controller(told, told)
    assert talk.to_runner[2:] == [told, told]


def test_heartbeats_pass_in_both_directions_and_none_is_made_up(talk: Talk) -> None:
    talk.connect()
    assert ["heartbeat"] not in talk.to_runner
    talk.controller(["heartbeat"])
    assert talk.to_runner[-1] == ["heartbeat"]
    assert ["heartbeat"] not in talk.to_controller
    talk.runner(["heartbeat"])
    assert talk.to_controller[-1] == ["heartbeat"]


def test_an_answer_to_a_heartbeat_of_an_earlier_connection_is_left_out(talk: Talk) -> None:
    talk.exchange.hear_runner(["heartbeat"])
    talk.connect()
    assert ["heartbeat"] not in talk.to_controller


def test_a_runner_that_wants_to_leave_is_only_let_go_when_the_close_is_acknowledged(talk: Talk) -> None:
    talk.runner(["bye"], EVENTS, CLOSE, ["bye"])
    talk.controller(["ack", 1, 2, True])
    assert talk.to_runner[-1] == ["ack", 1, 2, True]
    talk.controller(["ack", 1, 3, True])
    assert talk.to_runner[-2:] == [["ack", 1, 3, True], ["bye"]]
    assert talk.exchange.over == "all of it is recorded"


@pytest.mark.parametrize(
    ("message", "why"),
    [(["drop", 1], "wants no more"), (["ack", 1, 2, False], "newer epoch")],
    ids=["dropped", "fenced"],
)
@pytest.mark.parametrize("assigned", [True, False])
def test_a_segment_that_is_taken_away_is_over(message: Message, why: str, assigned: bool) -> None:
    talk = Talk()
    talk.connect()
    if assigned:
        talk.controller(DEFINE, ASSIGN)
        talk.runner(EVENTS)
    talk.controller(message, ["heartbeat"])
    assert talk.to_runner[-2:] == [message, ["bye"]]
    assert why in talk.exchange.over


def test_a_cancellation_is_passed_on(talk: Talk) -> None:
    talk.controller(["cancel", 1, "Cancelled"])
    assert talk.to_runner[-1] == ["cancel", 1, "Cancelled"]


def test_a_cancellation_that_is_told_again_over_a_new_connection_happens_once(talk: Talk) -> None:
    talk.controller(["cancel", 1, "Cancelled"])
    talk.connect()
    talk.controller(["cancel", 1, "Cancelled"])
    assert talk.to_runner.count(["cancel", 1, "Cancelled"]) == 1


def test_what_a_newer_controller_says_is_not_passed_on(talk: Talk) -> None:
    talk.controller(["sing", 1])
    assert talk.to_runner == [HERE, ASSIGN]
    assert "'sing'" in talk.said[0]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"[1]", b'"ack"', b"nonsense", b'["ack"', b'["ack", 1]', b'["ack", 1, "2", true]',
        b'["ack", 2, 2, true]', b'["ack", 1, 2, 1]', b'["define", 1]', b'["define"]', b'["assign", 1, {}]',
    ],
)  # fmt: skip
def test_nonsense_is_called_so(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        Talk().exchange.hear_controller(body)


class Ledger:
    """The other end of a line that breaks: takes repeats, never gaps, and acknowledges in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.closed = False

    def append(self, message: Message) -> Message:
        _, _, first, events, closes = message
        assert first <= len(self.events) + 1
        if first - 1 + len(events) > len(self.events):
            self.events[first - 1 :] = events
        self.closed = self.closed or closes
        return ["ack", 1, first + len(events) - 1, True]


APPENDS = st.lists(st.integers(1, 3), min_size=0, max_size=5)
WHAT = st.sampled_from(["runner", "deliver", "deliver", "acknowledge", "acknowledge", "repeat", "cut"])


@settings(deadline=None)
@given(APPENDS, st.integers(0, 2), st.lists(WHAT, max_size=60))
def test_whatever_breaks_when_the_ledger_gets_all_once_and_only_then_it_is_over(
    sizes: list[int], last: int, happens: list[str]
) -> None:
    """Appends of these sizes and a closing one; then whatever happens, happens, and at last the line holds."""
    exchange = Exchange("/scratch", version="1", say_once=lambda _: None)
    exchange.assigned = True
    ledger = Ledger()
    numbers = iter(range(1, 100))
    appends = [[["StepStarted", f"s{next(numbers)}", 1, 0, {}] for _ in range(size)] for size in [*sizes, last]]
    everything = [event for events in appends for event in events]
    waiting = list(enumerate(appends))
    wire: list[Message] = []
    answers: list[Message] = []
    after_the_end = ["runner"] * len(appends) + ["cut"] + ["deliver", "acknowledge"] * 20
    for what in [*happens, *after_the_end]:
        if what == "runner" and waiting:
            place, events = waiting.pop(0)
            first = 1 + sum(len(before) for before in appends[:place])
            exchange.hear_runner(["events", 1, first, events, not waiting])
        elif what == "deliver" and wire:
            answers.append(ledger.append(wire.pop(0)))
        elif what == "acknowledge" and answers:
            exchange.hear_controller(orjson.dumps(answers.pop(0)))
        elif what == "repeat" and answers:
            answers.insert(0, answers[0])
        elif what == "cut":
            wire, answers = [], []
            exchange.connect()
        while entry := exchange.outbox.next_unsent():
            wire.append(orjson.loads(entry.body))
        if exchange.over and not last:
            # A close without events has no number of its own: a repeat may be taken for its acknowledgement. It was sent.
            assert ledger.closed or [message[0] for message in wire] == ["events"]
        elif exchange.over:
            assert ledger.closed
    assert exchange.over
    assert ledger.events == everything
