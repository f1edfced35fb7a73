"""The line to whichever controller leads: one connection after the other, each given up when it is silent for too long."""

from __future__ import annotations

import selectors
import time
from pathlib import Path

from sluice.runner.connection import Connection, Trust, ask, call
from sluice.runner.dialling import Dialling, Failure, Lost, Try, Unreached
from sluice.runner.endings import Ending
from sluice.runner.journal import Journal
from sluice.runner.settings import Settings
from sluice.runner.times import Times


class Line:
    """``gave_up`` says that there is no use in trying again, and why. ``just_opened`` is True from when a connection came
    about until `receive` is called."""

    def __init__(
        self, settings: Settings, trust: Trust, selector: selectors.BaseSelector, *, times: Times, journal: Journal
    ) -> None:
        self.gave_up: Ending | None = None
        self.just_opened = False
        self._settings = settings
        self._trust = trust
        self._selector = selector
        self._times = times
        self._journal = journal
        self._dialling = Dialling(settings.url, patience=times.patience)
        self._connection: Connection | None = None
        self._url = settings.url
        self._try_at = time.monotonic()
        self._attempts = 0
        self._watched = 0
        self._messages: list[bytes] = []

    @property
    def has_room(self) -> bool:
        """Whether a message can be sent now."""
        return self._connection is not None and self._connection.has_room

    @property
    def look(self) -> float:
        """When `tend` has something to do although nothing happens, seconds of the monotonic clock."""
        connection = self._connection
        if self.gave_up:
            return float("inf")
        return self._try_at if connection is None else connection.heard + self._allowed(connection)

    def receive(self) -> list[bytes]:
        """The messages that have arrived."""
        messages, self._messages = self._messages, []
        self.just_opened = False
        return messages

    def send(self, body: bytes) -> None:
        """Send a message if there is a connection; it leaves with the next `tend`."""
        if self._connection is not None:
            self._connection.send(body)

    def tend(self) -> None:
        """Dial if it is time, send what waits, give up what is silent, and see to what broke."""
        now = time.monotonic()
        if self._connection is None:
            if now >= self._try_at and not self.gave_up:
                self._dial(now)
            return
        self._connection.flush()
        if now >= self.look:
            self._too_late(self._connection)
        if self._connection.failure:
            failure = self._connection.failure
            self._let_go(self._connection)
            self._failed(failure)
        elif self._connection.wanted != self._watched:
            self._watched = self._connection.wanted
            self._selector.modify(self._connection, self._watched, self._ready)

    def distrust(self, why: str) -> None:
        """What came over the connection makes no sense: begin anew."""
        if self._connection is not None:
            self._connection.abandon(Lost(1002, why))

    def close(self, code: int, reason: str) -> None:
        """Say goodbye."""
        if self._connection is not None:
            self._connection.abandon(Lost(code, reason))
            self._let_go(self._connection)

    def _dial(self, now: float) -> None:
        """Begin a connection. The token is read each time, for it is renewed while the pod lives."""
        try:
            token = Path(self._settings.token_file).read_text("ascii").strip()
            protocol = ask(self._url, self._settings.path, token=token)
            sock = call(self._url, attempt=self._attempts)
        except (OSError, ValueError) as error:
            self._failed(Unreached(str(error)))
            return
        self._attempts += 1
        self._connection = Connection(sock, protocol, self._trust, now=now)
        self._watched = self._connection.wanted
        self._selector.register(self._connection, self._watched, self._ready)

    def _ready(self) -> None:
        """The socket is ready for something."""
        connection = self._connection
        if connection is None:
            return
        was_open = connection.is_open
        messages = connection.advance(time.monotonic())
        if connection.is_open and not was_open:
            self.just_opened = True
            self._journal.say_once(f"connected to {self._url}")
        if messages:
            self._messages += messages
            self._dialling.heard()
            self._journal.calm()

    def _allowed(self, connection: Connection) -> float:
        return self._times.silence if connection.is_open else self._times.dial

    def _too_late(self, connection: Connection) -> None:
        why = "nothing was heard" if connection.is_open else "no connection came about"
        connection.abandon(Lost(1001, f"{why} for {self._allowed(connection):g} s"))

    def _let_go(self, connection: Connection) -> None:
        self._selector.unregister(connection)
        connection.close()
        self._connection = None

    def _failed(self, failure: Failure) -> None:
        now = time.monotonic()
        following = self._dialling.failed(failure, now)
        if isinstance(following, Try):
            self._journal.say_once(f"{self._url}: {failure}; trying again")
            self._url, self._try_at = following.url, now + following.after
        else:
            self.gave_up = following
