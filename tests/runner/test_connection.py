"""One connection, against a real server: how it comes about, what passes, and every way in which it ends."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import orjson
import pytest

from sluice.runner.connection import Connection, Trust, ask, call
from sluice.runner.dialling import Lost, Refused, Unreached
from sluice.runner.protocol import Message
from tests.runner.authority import NAME, Vouched, vouch
from tests.runner.playing import Conversation, Cut, Played, Refusal, playing

PATH = "/runner/v1/segments/r/main/1"


class Caller:
    """A connection and its loop."""

    def __init__(self, url: str, vouched: Vouched, *, server_name: str = NAME) -> None:
        protocol = ask(url, PATH, token="a-token")
        trust = Trust.of(vouched.authority, server_name)
        self.connection = Connection(call(url, attempt=0), protocol, trust, now=time.monotonic())
        self.heard: list[Message] = []

    def run_until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, self.connection.wanted)
            while not condition():
                assert time.monotonic() < end, "waited in vain"
                assert not self.connection.failure, self.connection.failure
                self.connection.flush()
                selector.modify(self.connection, self.connection.wanted)
                if selector.select(0.05):
                    self.heard += map(orjson.loads, self.connection.advance(time.monotonic()))

    def say(self, *messages: Message) -> None:
        self.run_until(lambda: self.connection.is_open)
        for message in messages:
            self.connection.send(orjson.dumps(message))


@pytest.fixture
def played(vouched: Vouched) -> Iterator[Played]:
    with playing(Played({}, assigns=False), vouched) as made:
        yield made


Dial = Callable[..., Caller]


@pytest.fixture
def dial(vouched: Vouched) -> Iterator[Dial]:
    """Makes connections, and lets go of them at the end."""
    made: list[Caller] = []

    def begin(url: str, trusted: Vouched = vouched, *, server_name: str = NAME) -> Caller:
        made.append(Caller(url, trusted, server_name=server_name))
        return made[-1]

    yield begin
    for caller in made:
        caller.connection.close()


@pytest.fixture
def caller(played: Played, dial: Dial) -> Caller:
    return dial(played.url)


def fails(caller: Caller) -> object:
    caller.run_until(lambda: caller.connection.failure)
    return caller.connection.failure


def answer_with(played: Played, *messages: Message) -> None:
    """Whatever is heard, say this."""

    def script(conversation: Conversation, _: Message) -> Awaitable[None]:
        return conversation.say(*messages)

    played.script = script


def test_it_asks_for_its_segment_with_its_token(caller: Caller, played: Played) -> None:
    caller.run_until(lambda: caller.connection.is_open)
    assert played.requests == [(PATH, "Bearer a-token")]


def test_messages_pass_in_both_directions_in_order(caller: Caller, played: Played) -> None:
    answer_with(played, ["one"], ["two", "x" * 100])
    caller.say(["hello", {"assigned": True}], ["again"])
    caller.run_until(lambda: len(caller.heard) == 4)
    assert caller.heard == [["one"], ["two", "x" * 100]] * 2
    assert [moment for moment in played.moments if moment.startswith("heard")] == ["heard hello", "heard again"]


def test_messages_of_many_megabytes_pass(caller: Caller, played: Played) -> None:
    answer_with(played, ["long", "x" * 20_000_000])
    caller.say(["hello", {"assigned": True}], ["long", "x" * 15_000_000])
    assert not caller.connection.has_room
    caller.run_until(lambda: len(caller.heard) == 2)
    assert caller.connection.has_room
    assert [len(message[1]) for message in caller.heard] == [20_000_000] * 2


def test_a_message_in_parts_is_one(caller: Caller, played: Played) -> None:
    played.script = lambda conversation, _: conversation.socket.send([b'["pa', b"", b'rts"]'])
    caller.say(["hello", {"assigned": True}])
    caller.run_until(lambda: caller.heard)
    assert caller.heard == [["parts"]]


def test_pings_are_answered_but_are_no_word_of_the_controller(caller: Caller, played: Played) -> None:
    async def script(conversation: Conversation, _: Message) -> None:
        await (await conversation.socket.ping())
        answered.append(True)

    answered: list[bool] = []
    played.script = script
    caller.say(["hello", {"assigned": True}])
    heard = caller.connection.heard
    caller.run_until(lambda: answered)
    assert answered == [True]
    assert caller.connection.heard == heard


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_an_answer_instead_of_the_upgrade_is_told(caller: Caller, played: Played, status: int) -> None:
    played.refusals.append(Refusal(status, {"Retry-After": "3"}))
    assert fails(caller) == Refused(status, retry_after="3")


def test_the_leaders_address_is_told(caller: Caller, played: Played) -> None:
    played.refusals.append(Refusal(421, {"Sluice-Leader": "https://10.0.0.1:8443"}))
    assert fails(caller) == Refused(421, leader="https://10.0.0.1:8443")


def test_a_close_is_told_with_its_code_and_reason_after_what_came_before(caller: Caller, played: Played) -> None:
    async def script(conversation: Conversation, _: Message) -> None:
        await conversation.say(["last"])
        await conversation.socket.close(1012, "a new version")

    played.script = script
    caller.say(["hello", {"assigned": True}])
    assert fails(caller) == Lost(1012, "a new version")
    assert caller.heard == [["last"]]


def test_a_line_that_breaks_is_told(caller: Caller, played: Played) -> None:
    def script(conversation: Conversation, _: Message) -> None:
        raise Cut

    played.script = script
    caller.say(["hello", {"assigned": True}])
    assert fails(caller) == Lost(1006, "the other side hung up")


def test_a_message_over_the_limit_ends_it(caller: Caller, played: Played) -> None:
    answer_with(played, ["long", "x" * (64 * 1024 * 1024)])
    caller.say(["hello", {"assigned": True}])
    failure = fails(caller)
    assert isinstance(failure, Lost)
    assert failure.code == 1009


def test_the_other_side_hears_why_it_is_abandoned(caller: Caller, played: Played) -> None:
    caller.run_until(lambda: caller.connection.is_open)
    caller.connection.abandon(Lost(1001, "x" * 300))
    caller.connection.close()
    played.wait_for(lambda: played.farewells)
    assert played.farewells == [(1001, "x" * 120)]


def test_a_server_of_another_name_is_not_believed(played: Played, dial: Dial) -> None:
    failure = fails(dial(played.url, server_name="sluice-controller.elsewhere.svc"))
    assert isinstance(failure, Unreached)
    assert "Hostname mismatch" in failure.why
    assert played.requests == []


def test_a_server_of_another_authority_is_not_believed(played: Played, dial: Dial, tmp_path: Path) -> None:
    failure = fails(dial(played.url, vouch(tmp_path)))
    assert isinstance(failure, Unreached)
    assert played.requests == []


def test_no_certificate_no_trust() -> None:
    with pytest.raises(ValueError, match="no certificate"):
        Trust.of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", NAME)


OTHERS = [
    (b"", Unreached),
    (b"SSH-2.0-OpenSSH_9.2\r\n", Unreached),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Refused),
    (b"HTTP/1.1 404 Not Found\r\n\r\nuntil the end", Refused),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", Unreached),
]


@pytest.mark.parametrize(("said", "kind"), OTHERS)
def test_something_else_that_listens_there_is_no_controller(
    said: bytes, kind: type, vouched: Vouched, dial: Dial
) -> None:
    def answer() -> None:
        accepted, _ = server.accept()
        with accepted, vouched.context.wrap_socket(accepted, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as server:
        caller = dial(f"https://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=answer)
        thread.start()
        failure = fails(caller)
        thread.join()
    assert isinstance(failure, kind)


def test_nobody_there_is_told(dial: Dial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert fails(dial(f"https://127.0.0.1:{port}")) == Unreached("Connection refused")


def test_each_attempt_takes_the_next_address_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["127.0.0.2", "127.0.0.3"]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 9)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    asked: list[str] = []
    monkeypatch.setattr(socket.socket, "connect_ex", lambda _, address: asked.append(address[0]) or 0)
    for attempt in range(3):
        call("https://sluice-controller.sluice-system.svc:8443", attempt=attempt).close()
    assert asked == [*addresses, addresses[0]]
