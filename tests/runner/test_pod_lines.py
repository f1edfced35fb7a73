"""A whole pod whose line to the controller breaks, at every moment that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.launcher.segments import definition, python
from tests.runner.authority import Vouched
from tests.runner.playing import Conversation, Played, Refusal, playing
from tests.runner.pods import arguments, pod

TWO_STEPS = definition(
    python("a", "print('begins')\noutput = 1"), python("b", "output = steps.a.output + 1", "a"), outputs={}
)
TOLD = ["StepStarted a", "StepEnded a", "StepStarted b", "StepEnded b", "RunEnded"]
BEGINNING = ["heard hello", "said define", "said assign"]
APPEND = ["heard events", "recorded", "said ack"]
MOMENTS = BEGINNING + APPEND * 2
"""At least: where the machine is busy, a start may be told before its end."""


def run(played: Played, vouched: Vouched, folder: Path, *, times: str = "") -> str:
    """Run the pod to its good end; what it printed."""
    with playing(played, vouched), pod(arguments(played.url, vouched, folder), folder, times=times) as runs:
        assert runs.wait() == 0, runs.printed
        return runs.printed


def test_a_pod_runs_its_segment_and_tells_of_it(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(TWO_STEPS)
    printed = run(played, vouched, tmp_path)
    assert played.told == TOLD
    assert played.closed
    assert played.moments == BEGINNING + APPEND * (len(played.moments) // 3 - 1)
    assert played.requests == [("/runner/v1/segments/r/main/1", "Bearer a-token")]
    assert played.farewells == [(1000, "all of it is recorded")]
    told = [line.partition(" ")[2] for line in printed.splitlines() if not line.startswith("a|")]
    assert told[1::2] == ["a started, attempt 1", "b started, attempt 1", "sluice: the run ended: Succeeded, Completed"]
    assert "\na| begins\n" in printed


@pytest.mark.parametrize("moment", range(1, len(MOMENTS) + 1), ids=lambda n: f"{n} {MOMENTS[n - 1]}")
def test_a_line_that_breaks_once_changes_nothing(vouched: Vouched, tmp_path: Path, moment: int) -> None:
    played = Played(TWO_STEPS, cuts={moment})
    printed = run(played, vouched, tmp_path)
    assert played.told == TOLD
    assert played.closed
    assert printed.count("a started") == printed.count("a Succeeded") == printed.count("a| begins") == 1
    assert [hello["assigned"] for hello in played.hellos[1:]] in ([], [moment > 2])


def test_a_line_that_breaks_all_the_time_changes_nothing(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(TWO_STEPS, cuts={1, 4, 7, 9})
    run(played, vouched, tmp_path)
    assert played.told == TOLD
    assert len(played.conversations) == 5
    assert [hello["assigned"] for hello in played.hellos] == [False, True, True, True]


def test_a_pod_that_has_no_room_for_more_results_waits_until_some_are_recorded(
    vouched: Vouched, tmp_path: Path
) -> None:
    """The outbox is full from the first byte on, so every append waits for the one before."""
    small = "from sluice.runner import exchange, outbox; exchange.Outbox = lambda: outbox.Outbox(limit=1)"
    played = Played(TWO_STEPS, cuts={4, 7})
    with (
        playing(played, vouched),
        pod(arguments(played.url, vouched, tmp_path), tmp_path, before=small) as runs,
    ):
        assert runs.wait() == 0, runs.printed
    assert played.told == TOLD


def test_acknowledgements_may_come_twice(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(TWO_STEPS, repeats_acknowledgements=True)
    run(played, vouched, tmp_path)
    assert played.told == TOLD


@pytest.mark.parametrize("status", [401, 404, 421, 429, 500, 503])
def test_a_refusal_that_passes_is_waited_out(vouched: Vouched, tmp_path: Path, status: int) -> None:
    played = Played(TWO_STEPS)
    played.refusals += [Refusal(status, {"Retry-After": "0"})] * 2
    printed = run(played, vouched, tmp_path)
    assert played.told == TOLD
    assert len(played.requests) == 3
    assert printed.count(f"(HTTP {status})") == 1


def test_the_token_is_read_anew_for_each_connection(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(TWO_STEPS)
    played.refusals += [Refusal(401)] * 2
    with playing(played, vouched), pod(arguments(played.url, vouched, tmp_path), tmp_path) as runs:
        played.wait_for(lambda: played.requests)
        (tmp_path / "token").write_text("another-token")
        assert runs.wait() == 0, runs.printed
    assert [token for _, token in played.requests][-1] == "Bearer another-token"


def test_a_pod_follows_to_the_leader(vouched: Vouched, tmp_path: Path) -> None:
    """The leader's certificate has the same name, though its address is another."""
    leader, replica = Played(TWO_STEPS), Played(TWO_STEPS)
    with playing(leader, vouched), playing(replica, vouched):
        replica.refusals += [Refusal(421, {"Sluice-Leader": leader.url})] * 2
        leader.cuts = {5}
        with pod(arguments(replica.url, vouched, tmp_path), tmp_path) as runs:
            assert runs.wait() == 0, runs.printed
    assert leader.told == TOLD
    assert len(replica.requests) == 2
    assert replica.hellos == []


def test_a_silent_line_is_given_up_and_another_is_made(vouched: Vouched, tmp_path: Path) -> None:
    played = Played(TWO_STEPS, assigns=False)
    with (
        playing(played, vouched),
        pod(arguments(played.url, vouched, tmp_path), tmp_path, times="silence=0.2") as runs,
    ):
        played.wait_for(lambda: len(played.hellos) == 2)
        played.assigns = True
        assert runs.wait() == 0, runs.printed
    assert "nothing was heard for 0.2 s" in runs.printed
    assert played.told == TOLD


def test_heartbeats_are_answered_by_the_runner(vouched: Vouched, tmp_path: Path) -> None:
    async def script(conversation: Conversation, message: list[object]) -> None:
        if message[0] == "hello":
            await conversation.say(["heartbeat"])
        elif message[0] == "heartbeat":
            await conversation.assign()

    played = Played(TWO_STEPS, assigns=False, script=script)
    run(played, vouched, tmp_path)
    assert played.told == TOLD


def test_a_restarting_controller_is_found_again(vouched: Vouched, tmp_path: Path) -> None:
    async def script(conversation: Conversation, message: list[object]) -> None:
        if message[0] == "events" and len(played.hellos) == 1:
            await conversation.socket.close(1012, "restarting")

    played = Played(TWO_STEPS, script=script)
    printed = run(played, vouched, tmp_path)
    assert played.told == TOLD
    assert "restarting (1012)" in printed


def test_results_of_many_megabytes_reach_the_ledger(vouched: Vouched, tmp_path: Path) -> None:
    steps = [python(f"s{number}", "output = 'x' * 1_000_000") for number in range(20)]
    played = Played(definition(*steps), terms={"limits": {"parallelSteps": 20}}, cuts={5})
    run(played, vouched, tmp_path)
    assert sum(len(event.body.get("output", "")) for event in played.ledger) == 20_000_000
    assert played.told[-1] == "RunEnded"
