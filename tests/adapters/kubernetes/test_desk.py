"""The runners' desk: who is let in with what, and what passes between a runner and the sink."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster
from sluice.adapters.kubernetes.launching.desk import UNANSWERED, Refusal, RunnerDesk
from sluice.adapters.kubernetes.launching.reviews import PodIdentity
from sluice.adapters.kubernetes.launching.seats import Claim, Seat, Seats
from sluice.api.environment import Launch
from sluice.domain.launching.names import segment_name
from sluice.domain.launching.placement import Placement
from sluice.domain.run.events import Event
from sluice.ports.errors import Unavailable
from sluice.ports.launcher import Acknowledge, Append
from sluice.runner.protocol import Message
from tests.contracts.launcher.segments import definition, python, segment

PLACE = Placement(Launch.JOB, "team", "team", "test")
SEGMENT = dataclasses.replace(segment(definition(python("a", "output = 1")), run="r"), placement=PLACE)
CLAIM = Claim("r", "main", 1)
NAME = segment_name(SEGMENT.run, "main", 1)
POD = PodIdentity("team", "default", f"{NAME}-abcde", "pod-1")
STEP = ["StepStarted", "a", 1, 5, {}]


@dataclass
class World:
    """Everything that a desk works with, each part as the test wants it."""

    leads: bool = True
    leader: str = ""
    identity: PodIdentity | Exception | None = POD
    binds: bool | Exception = True
    ended: int | Exception | None = 0
    epoch_now: int = 1
    bound: list[tuple[Any, ...]] = field(default_factory=list)
    appends: list[tuple[Append, Acknowledge]] = field(default_factory=list)
    begun: list[Claim] = field(default_factory=list)

    def is_leading(self) -> bool:
        return self.leads

    def runner_url(self) -> str:
        return self.leader

    def identify(self, token: str) -> PodIdentity | None:
        if isinstance(self.identity, Exception):
            raise self.identity
        return self.identity

    def now(self) -> int:
        return 7

    def epoch(self, run_uid: str, unit: str) -> int:
        return self.epoch_now

    def run(self, run_uid: str) -> Any:
        if isinstance(self.ended, Exception):
            raise self.ended
        return None if self.ended is None else dataclasses.make_dataclass("Record", ["ended"])(self.ended)

    def bind(self, *given: Any) -> bool:
        self.bound.append(given)
        if isinstance(self.binds, Exception):
            raise self.binds
        return self.binds

    def appended(self, append: Append, acknowledge: Acknowledge) -> None:
        self.appends.append((append, acknowledge))

    def began(self, *claim: Any) -> None:
        self.begun.append(Claim(*claim))


@dataclass
class Line:
    """A runner's end."""

    heard: list[Message] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    def send(self, *messages: Message) -> None:
        self.heard += messages

    def close(self, code: int, reason: str) -> None:
        self.closed.append(code)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def seats() -> Seats:
    return Seats()


@pytest.fixture
def seat(seats: Seats) -> Seat:
    made = Seat(SEGMENT, PLACE, NAME, launched=0, heard=0)
    seats.take(made)
    return made


@pytest.fixture
def desk(world: World, seats: Seats) -> RunnerDesk:
    cluster = Cluster(HOME, None, world)  # type: ignore[arg-type]
    return RunnerDesk(seats, lambda _: cluster, world, lambda: world, world)  # type: ignore[arg-type,return-value]


def test_the_pod_of_a_segment_is_let_in_and_bound(desk: RunnerDesk, world: World, seat: Seat) -> None:
    assert desk.admit(CLAIM, "token") is seat
    assert desk.admit(CLAIM, "token") is seat

    assert world.bound == [("r", "main", 1, "pod-1")], "who is bound is not bound again"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"identity": None}, 401),
        ({"identity": dataclasses.replace(POD, name="other-abcde")}, 403),
        ({"identity": dataclasses.replace(POD, namespace="elsewhere")}, 403),
        ({"binds": False}, 409),
        ({"identity": Unavailable("no API server")}, 503),
        ({"binds": Unavailable("no database")}, 503),
    ],
)
def test_who_is_not_let_in(desk: RunnerDesk, world: World, seat: Seat, change: dict[str, Any], status: int) -> None:
    for name, value in change.items():
        setattr(world, name, value)
    refused = desk.admit(CLAIM, "token")

    assert isinstance(refused, Refusal)
    assert refused.status == status
    assert seat.holder == ""


def test_a_standby_sends_runners_to_the_one_that_leads(desk: RunnerDesk, world: World, seat: Seat) -> None:
    world.leads, world.leader = False, "https://10.1.2.3:8443"
    assert desk.admit(CLAIM, "token") == Refusal(421, "another controller leads", {"Sluice-Leader": world.leader})

    world.leader = ""
    assert desk.admit(CLAIM, "token") == Refusal(421, "another controller leads")


@pytest.mark.parametrize(
    ("ended", "epoch", "status"),
    [(None, 0, 404), (5, 1, 410), (0, 2, 409), (0, 1, 404), (Unavailable("no database"), 1, 503)],
)
def test_what_a_runner_without_a_seat_is_told(
    desk: RunnerDesk, world: World, ended: int | Exception | None, epoch: int, status: int
) -> None:
    world.ended, world.epoch_now = ended, epoch
    refused = desk.admit(CLAIM, "token")

    assert isinstance(refused, Refusal)
    assert refused.status == status


def test_a_runner_is_told_its_assignment_once(desk: RunnerDesk, world: World, seat: Seat) -> None:
    first, second = Line(), Line()
    desk.begin(seat, first, assigned=False)
    desk.begin(seat, second, assigned=True)

    assert [message[0] for message in first.heard] == ["define", "assign", "heartbeat"]
    assert first.heard[0][1]["now"] == 7
    assert second.heard == [["heartbeat"]]
    assert first.closed == [4000]
    assert world.begun == [CLAIM, CLAIM]


def test_a_wish_to_cancel_waits_for_the_runner(desk: RunnerDesk, seat: Seat) -> None:
    seat.cancel = "Cancelled"
    line = Line()
    desk.begin(seat, line, assigned=True)

    assert line.heard == [["cancel", 1, "Cancelled"], ["heartbeat"]]


def test_events_are_acknowledged_when_they_last(desk: RunnerDesk, world: World, seat: Seat, seats: Seats) -> None:
    line = Line()
    desk.begin(seat, line, assigned=True)
    desk.heard(seat, line, ["events", 1, 1, [STEP], False])
    append, acknowledge = world.appends[0]
    assert (append.first_seq, append.epoch, append.events[0].step) == (1, 1, "a")
    assert line.heard == [["heartbeat"]]

    acknowledge(True)
    assert line.heard[1:] == [["ack", 1, 1, True]]
    assert seats.find(CLAIM) is seat


def test_the_end_of_a_segment_gives_its_seat_up(desk: RunnerDesk, world: World, seat: Seat, seats: Seats) -> None:
    line = Line()
    desk.begin(seat, line, assigned=True)
    desk.heard(seat, line, ["events", 1, 1, [STEP], True])
    assert seat.closing
    world.appends[0][1](True)

    assert seats.find(CLAIM) is None
    assert desk.admit(CLAIM, "token") == Refusal(410, "the segment is over")


def test_what_could_not_be_written_is_asked_for_again(desk: RunnerDesk, world: World, seat: Seat, seats: Seats) -> None:
    line = Line()
    desk.begin(seat, line, assigned=True)
    desk.heard(seat, line, ["events", 1, 1, [STEP], True])
    world.appends[0][1](None)

    assert (line.heard, line.closed, seat.closing) == ([["heartbeat"]], [1013], False)
    assert seats.find(CLAIM) is seat


@pytest.mark.parametrize(
    "message",
    [
        ["nonsense"],
        ["events", 2, 1, [STEP], False],
        ["events", 1, 0, [STEP], False],
        ["events", 1, 1, [], False],
        ["events", 1, 1, ["no event"], False],
        ["events", 1, 1, [["StepStarted", "a", "1", 5, {}]], False],
        ["events", 1, 1, [["StepStarted", "a", 1, 5, []]], False],
        ["events", 1, 1, [["StepEnded", "a", 1, 5, {"phase": "Splendid"}]], False],
        ["events", 1, 1, [["RunEnded", "", 0, 5, {}]], True],
    ],
)
def test_a_runner_that_makes_no_sense_is_sent_away(
    desk: RunnerDesk, world: World, seat: Seat, message: Message
) -> None:
    line = Line()
    desk.begin(seat, line, assigned=True)
    desk.heard(seat, line, message)

    assert (line.closed, world.appends) == ([1008], [])


def test_a_runner_that_does_not_wait_for_answers_is_sent_away(desk: RunnerDesk, world: World, seat: Seat) -> None:
    line = Line()
    desk.begin(seat, line, assigned=True)
    for first in range(1, UNANSWERED + 2):
        desk.heard(seat, line, ["events", 1, first, [STEP], False])

    assert (line.closed, len(world.appends)) == ([1008], UNANSWERED)


def test_words_of_an_older_connection_are_passed_over(desk: RunnerDesk, world: World, seat: Seat) -> None:
    old, new = Line(), Line()
    desk.begin(seat, old, assigned=True)
    desk.begin(seat, new, assigned=True)
    desk.heard(seat, old, ["events", 1, 1, [STEP], False])
    desk.left(seat, old)

    assert world.appends == []
    assert seat.link is new


@pytest.mark.parametrize("assigned", [False, True])
def test_a_runner_that_comes_is_told_what_ended_elsewhere(desk: RunnerDesk, seat: Seat, assigned: bool) -> None:
    end = Event("StepEnded", "deploy", 1, 9, {"phase": "Succeeded"})
    seat.told.append(end)
    line = Line()
    desk.begin(seat, line, assigned=assigned)

    assert ["told", 1, list(end)] in line.heard
    assert [message[0] for message in line.heard] == [*([] if assigned else ["define", "assign"]), "told", "heartbeat"]


@pytest.mark.parametrize("assigned", [False, True])
def test_a_runner_hears_that_its_run_is_to_end_with_its_assignment_or_after_it(
    desk: RunnerDesk, seat: Seat, assigned: bool
) -> None:
    seat.cancel = "Cancelled"
    line = Line()
    desk.begin(seat, line, assigned=assigned)

    told = [["cancel", 1, "Cancelled"]] if assigned else []
    assert [message for message in line.heard if message[0] == "cancel"] == told
    assert assigned or line.heard[1][2]["cancel"] == "Cancelled"
