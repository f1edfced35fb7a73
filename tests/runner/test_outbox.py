"""What is kept until it is acknowledged."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sluice.runner.outbox import Outbox


def event(text: str = "") -> list[Any]:
    return ["StepEnded", "a", 1, 0, {"log": text}]


def sent(outbox: Outbox) -> list[tuple[int, int, bool]]:
    """First, last and whether it closes, of all that can be sent now."""
    found = []
    while entry := outbox.next_unsent():
        found.append((entry.first, entry.last, entry.closes))
    return found


def filled(*appends: tuple[int, int, bool]) -> Outbox:
    """Appends as (first, number of events, closes)."""
    outbox = Outbox()
    for first, count, closes in appends:
        outbox.put(first, [event()] * count, closes=closes)
    return outbox


TWO = ((1, 2, False), (3, 1, True))
EMPTY_CLOSE = ((1, 2, False), (3, 0, True))

CASES: list[tuple[str, tuple[tuple[int, int, bool], ...], list[int | str], list[tuple[int, int, bool]], bool]] = [
    ("nothing is acknowledged: all is sent again", TWO, ["send", "new"], [(1, 2, False), (3, 3, True)], False),
    ("what was sent is not sent twice over one connection", TWO, ["send"], [], False),
    ("the first is acknowledged: the second is sent again", TWO, ["send", 2, "new"], [(3, 3, True)], False),
    ("an acknowledgement comes twice", TWO, ["send", 2, 2, "new"], [(3, 3, True)], False),
    ("one acknowledgement means everything before it", TWO, ["send", 3, "new"], [], True),
    ("a part of an append is acknowledged", TWO, ["send", 1, "new"], [(1, 2, False), (3, 3, True)], False),
    ("an old acknowledgement comes after a newer one", TWO, ["send", 2, 1, "new"], [(3, 3, True)], False),
    ("it is acknowledged before it is sent again", TWO, ["send", "new", 2], [(3, 3, True)], False),
    ("everything is, in order", TWO, ["send", 2, 3], [], True),
    ("a close without events waits for all others", EMPTY_CLOSE, ["send"], [], False),
    ("and is sent then", EMPTY_CLOSE, ["send", 2], [(3, 2, True)], False),
    ("the number before it does not mean it while it is not sent", EMPTY_CLOSE, ["send", 2, 2], [(3, 2, True)], False),
    ("it does once it is", EMPTY_CLOSE, ["send", 2, "send", 2], [], True),
    ("it is sent again over a new connection", EMPTY_CLOSE, ["send", 2, "send", "new"], [(3, 2, True)], False),
    ("a close may be all there is", ((1, 0, True),), ["send", 0], [], True),
]


@pytest.mark.parametrize(("_", "appends", "happens", "left", "closed"), CASES, ids=[case[0] for case in CASES])
def test_appends_are_kept_until_acknowledged(
    _: str,
    appends: tuple[tuple[int, int, bool], ...],
    happens: list[int | str],
    left: list[tuple[int, int, bool]],
    closed: bool,
) -> None:
    outbox = filled(*appends)
    for what in happens:
        if what == "send":
            sent(outbox)
        elif what == "new":
            outbox.rewind()
        else:
            outbox.acknowledge(int(what))
    assert sent(outbox) == left
    assert outbox.closed is closed
    assert outbox.empty is closed


def test_an_append_too_long_for_a_message_is_sent_in_several() -> None:
    outbox = Outbox(message_limit=400)
    outbox.put(5, [event("x" * 100) for _ in range(8)], closes=True)
    entries = []
    while entry := outbox.next_unsent():
        entries.append(entry)
    assert all(len(entry.body) <= 400 for entry in entries)
    assert [orjson.loads(entry.body)[2] for entry in entries] == [5, 7, 9, 11]
    assert [entry.closes for entry in entries] == [False, False, False, True]
    told = [told for entry in entries for told in orjson.loads(entry.body)[3]]
    assert told == [event("x" * 100)] * 8


def test_an_event_is_never_taken_apart() -> None:
    outbox = Outbox(message_limit=400)
    outbox.put(1, [event("x" * 1000), event()], closes=True)
    assert sent(outbox) == [(1, 1, False), (2, 2, True)]


def test_it_is_full_from_its_limit_on_and_has_room_again_later() -> None:
    outbox = Outbox(limit=2000)
    outbox.put(1, [event("x" * 1500)], closes=False)
    assert not outbox.full
    outbox.put(2, [event("x" * 1500)], closes=False)
    assert outbox.full
    sent(outbox)
    outbox.acknowledge(1)
    assert not outbox.full


def test_no_more_than_a_few_messages_are_on_their_way_at_a_time() -> None:
    outbox = filled(*[(number, 1, False) for number in range(1, 21)])
    assert sent(outbox) == [(number, number, False) for number in range(1, 9)]
    outbox.acknowledge(3)
    assert sent(outbox) == [(number, number, False) for number in range(9, 12)]
    outbox.rewind()
    assert sent(outbox)[0] == (4, 4, False)
