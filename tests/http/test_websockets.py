"""A server that refuses WebSockets, and stops while others are ending."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from sluice.http.websockets import WebSocketProtocol

UPGRADE = b"""\
GET / HTTP/1.1\r
Host: example.com\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
Sec-WebSocket-Version: 13\r
\r
"""
PATIENCE_S = 10
GOODBYE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"
"""A client's close frame, code 1000."""


class Line(asyncio.Transport):
    """A connection whose other end takes its time: it is not closed yet when it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closes += 1

    def is_closing(self) -> bool:
        return False


async def greeted(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def refused(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.http.response.start", "status": 421, "headers": []})
    await send({"type": "websocket.http.response.body", "body": b"not here"})


async def connected(application: Any = greeted, answer: bytes = b"101") -> tuple[WebSocketProtocol, Line]:
    config = uvicorn.Config(application, ws="websockets-sansio", ws_ping_interval=None, log_config=None)
    config.load()
    protocol, line = WebSocketProtocol(config, ServerState(), {}), Line()
    protocol.connection_made(line)
    protocol.data_received(UPGRADE)
    while answer not in line.written:
        await asyncio.sleep(0)
    return protocol, line


def test_a_peer_that_said_goodbye_is_no_reason_to_leave_the_others() -> None:
    async def story() -> Line:
        protocol, line = await connected()
        protocol.data_received(GOODBYE)
        protocol.shutdown()
        return line

    assert asyncio.run(story()).closes > 0


def test_any_other_is_told_that_the_server_restarts() -> None:
    async def story() -> Line:
        protocol, line = await connected()
        protocol.shutdown()
        return line

    line = asyncio.run(story())

    assert line.written.endswith((1012).to_bytes(2, "big"))
    assert line.closes > 0


def test_a_refusal_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> Line:
        protocol, line = await connected(refused, b"not here")
        while protocol.tasks:
            await asyncio.sleep(0)
        return line

    line = asyncio.run(story())

    assert line.written.startswith(b"HTTP/1.1 421 ")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("answer", [refused, greeted])
def test_who_is_being_looked_at_when_the_server_stops_gets_one_answer(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> Line:
        looked_at = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await looked_at.wait()
            await answer(scope, receive, send)

        protocol, line = await connected(slow, b"")
        protocol.shutdown()
        looked_at.set()
        await asyncio.wait_for(asyncio.gather(*protocol.tasks), PATIENCE_S)
        return line

    line = asyncio.run(story())

    assert line.written.count(b"HTTP/1.1") == 1
    assert line.closes > 0
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
