"""The runners' door from outside: who says nothing, or nonsense, is sent away as is fit."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from sluice.http.runners import LATER, MISBEHAVED, SUBPROTOCOL, runner_group
from sluice.http.server import WebSockets
from tests.http.live import running

PATIENCE_S = 10


class Desk:
    """Lets everybody in, and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def admit(self, claim: Any, token: str) -> Any:
        return claim

    def begin(self, seat: Any, link: Any, *, assigned: bool) -> None:
        self.said.append(("begin", seat.run_uid, assigned))

    def heard(self, seat: Any, link: Any, message: Any) -> None:
        self.said.append(message)

    def left(self, seat: Any, link: Any) -> None:
        self.said.append(("left", seat.run_uid))


def closed(connection: ClientConnection) -> int:
    """The code with which it is closed."""
    with pytest.raises(ConnectionClosed) as caught:
        connection.recv(PATIENCE_S)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


def send(connection: ClientConnection, *messages: bytes) -> None:
    for message in messages:
        connection.send(message)


@pytest.mark.parametrize(
    ("messages", "code", "said"),
    [
        ((), LATER, []),
        ((b'["good day"]',), MISBEHAVED, []),
        ((b"{",), MISBEHAVED, []),
        ((b'["hello",{"assigned":true}]', b"{}"), MISBEHAVED, [("begin", "r", True)]),
    ],
    ids=["nothing", "no hello", "no JSON", "no message"],
)
def test_who_does_not_say_what_is_expected_is_sent_away(
    messages: tuple[bytes, ...], code: int, said: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk()
    group, door = runner_group(desk, hello_s=0.2)
    with running([group], websockets=WebSockets(1024)) as server, caplog.at_level(logging.ERROR):
        address = f"ws://127.0.0.1:{server.port}/runner/v1/segments/r/main/1"
        headers = {"authorization": "Bearer x"}
        with connect(address, subprotocols=[SUBPROTOCOL], additional_headers=headers) as connection:  # type: ignore[list-item]
            send(connection, *messages)
            assert closed(connection) == code
    assert desk.said == [*said, ("left", "r")]
    assert (caplog.records, door.connected) == ([], 0)
