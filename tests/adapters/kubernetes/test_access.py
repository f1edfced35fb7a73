"""What the API server says of tokens and rights, asked once in a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import orjson
import pytest

from sluice.adapters.kubernetes.access import RIGHTS_S, TOKENS_S, Recent, ReviewedRights, ReviewedTokens
from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import WORKFLOW_RUN
from sluice.ports.store import Actor
from tests.adapters.kubernetes.scripted import Answer, Scripted, scripted

ANA = Actor("ana@example.com", ("leads",))


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(ends: ExitStack, *statuses: dict[str, Any]) -> tuple[Transport, Scripted]:
    server = ends.enter_context(scripted(*(Answer(body=orjson.dumps({"status": status})) for status in statuses)))
    transport = Transport(Token(server.url, "secret"))
    ends.callback(transport.close)
    return transport, server


GOOD = {"authenticated": True, "audiences": ["sluice"], "user": {"username": ANA.user, "groups": ["leads"]}}


def test_a_token_is_reviewed_once_in_a_while(ends: ExitStack, clock: Clock) -> None:
    transport, server = opened(ends, GOOD, GOOD)
    tokens = ReviewedTokens(transport, monotonic=clock)
    assert [tokens.authenticate("t") for _ in range(3)] == [ANA] * 3
    assert len(server.asked) == 1

    clock.time = TOKENS_S + 1
    assert tokens.authenticate("t") == ANA
    assert len(server.asked) == 2
    asked = orjson.loads(server.asked[0].body)
    assert asked["spec"] == {"token": "t", "audiences": ["sluice"]}


@pytest.mark.parametrize("status", [{}, GOOD | {"authenticated": False}, GOOD | {"audiences": ["other"]}])
def test_a_token_that_is_not_good_or_not_for_us_is_nobody_s(ends: ExitStack, status: dict[str, Any]) -> None:
    transport, _ = opened(ends, status)
    assert ReviewedTokens(transport).authenticate("t") is None


def test_a_right_is_asked_for_by_whom_what_and_where(ends: ExitStack, clock: Clock) -> None:
    transport, server = opened(ends, {"allowed": True}, {"allowed": False}, {"allowed": False})
    rights = ReviewedRights(transport, monotonic=clock)
    assert rights.allows(ANA, "get", WORKFLOW_RUN, "team")
    assert rights.allows(ANA, "get", WORKFLOW_RUN, "team")
    assert not rights.allows(ANA, "get", WORKFLOW_RUN, "other")

    clock.time = RIGHTS_S + 1
    assert not rights.allows(ANA, "get", WORKFLOW_RUN, "team"), "a right that was taken away is gone after seconds"
    asked = orjson.loads(server.asked[0].body)["spec"]
    assert (asked["user"], asked["groups"]) == (ANA.user, ["leads"])
    assert asked["resourceAttributes"] == {
        "group": "sluice.dev", "resource": "workflowruns", "verb": "get", "namespace": "team",
    }  # fmt: skip


def test_old_answers_make_room(clock: Clock) -> None:
    recent: Recent[int, int] = Recent(10, clock)
    for key in range(10_001):
        recent.put(key, key)

    assert recent.get(0) is None
    assert recent.get(10_000) == 10_000
