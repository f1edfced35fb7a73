"""The controller's end of one runner: frames out from any thread, frames in on the launcher's own, its open segments."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sluice.runner.protocol import Channel, Closed, Message


@dataclass(slots=True, eq=False)
class OpenSegment:
    """A segment that a runner has. ``closing``: its last append is on its way, so it can't be lost any more."""

    link: RunnerLink
    number: int
    run_uid: str
    unit: str
    epoch: int
    closing: bool = False


class RunnerLink:
    """One runner. ``segments`` and ``numbers`` are guarded by the launcher's lock; sending has a lock of its own.

    ``ended``: its stream has ended. ``orphaned``: nobody will say how its process ended. ``status`` is how it did.
    """

    def __init__(
        self, number: int, key: tuple[str, bytes], scratch: Path, want_write: Callable[[RunnerLink], None]
    ) -> None:
        ours, self.theirs = socket.socketpair()
        self.number = number
        self.key = key
        self.scratch = scratch
        self.segments: dict[int, OpenSegment] = {}
        self.numbers = 0
        self.pid = 0
        self.status: int | None = None
        self.ended = False
        self.orphaned = False
        self.heard = 0.0
        self.pinged = 0.0
        self._channel = Channel(ours)
        self._sending = threading.Lock()
        self._want_write = want_write

    def fileno(self) -> int:
        """The descriptor, for the selector."""
        return self._channel.fileno()

    def send(self, *messages: Message) -> None:
        """Send without blocking; what the socket does not take follows when it can. To a dead runner: nothing."""
        with self._sending:
            for message in messages:
                self._channel.put(message)
            blocked = not self._flush()
        if blocked:
            self._want_write(self)

    def flush(self) -> bool:
        """Send what is left; False if something still is."""
        with self._sending:
            return self._flush()

    def receive(self) -> list[Message]:
        """What the runner said; raises Closed or ProtocolError. For the launcher's thread."""
        return self._channel.receive()

    def close(self) -> None:
        """Close both ends."""
        with self._sending:
            self._channel.close()
            self.theirs.close()

    def _flush(self) -> bool:
        if self._channel.fileno() < 0:
            return True
        try:
            self._channel.flush()
        except Closed:
            # The end of the stream will be read as well, and is acted upon there.
            return True
        return not self._channel.pending
