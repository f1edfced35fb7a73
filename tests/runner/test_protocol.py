from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.runner.protocol import Channel, Closed, Frames, ProtocolError, encode

MESSAGES = [["ack", 1, 2, True], ["events", 3, 1, [["StepStarted", "ä", 1, 5, {}]], False], ["bye"]]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_frames_are_complete_however_they_are_cut(cuts: list[int]) -> None:
    data = b"".join(map(encode, MESSAGES))
    frames, received, position = Frames(), [], 0
    for cut in [*cuts, len(data)]:
        received += frames.feed(data[position : position + cut])
        position += cut
    assert received == MESSAGES


def test_a_large_frame_arrives_in_pieces() -> None:
    data = encode(["x", "y" * 1_000_000])
    frames = Frames()
    pieces = [frames.feed(data[start : start + 65_536]) for start in range(0, len(data), 65_536)]
    assert [message for piece in pieces for message in piece] == [["x", "y" * 1_000_000]]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", 2**31),
        struct.pack(">I", 3) + b"{a}",
        struct.pack(">I", 2) + b"{}",
        struct.pack(">I", 2) + b"[]",
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Frames().feed(data)


def test_a_channel_keeps_what_the_socket_does_not_take() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender, receiver = Channel(ours), Channel(theirs)
        sender.put(["x", "y" * 3_000_000])
        sender.flush()
        assert sender.pending
        received: list[object] = []
        while not received:
            received += receiver.receive()
            sender.flush()
        assert not sender.pending


def test_the_end_of_the_stream_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        assert channel.receive() == []
        theirs.close()
        with pytest.raises(Closed):
            channel.receive()
        channel.put(["bye"])
        with pytest.raises(Closed):
            channel.flush()
