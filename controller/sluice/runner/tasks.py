"""Attempts on their way to a worker: one class per kind of worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.runner.codes import CodeView
from sluice.runner.process import WorkerProcess
from sluice.runner.protocol import Message
from sluice.steps.outcome import Body

HTTP_SECONDS = 3600.0
"""How long a request may take where nothing else bounds it."""
_GRACE = 2.0

Ended = Callable[[Body], None]
Begun = Callable[[], None]


class _Attempt:
    """What both have: a number, a time, and whom to tell."""

    __slots__ = ("_begun", "_ended", "number", "seconds")

    def __init__(self, number: int, seconds: float, begun: Begun, ended: Ended) -> None:
        self.number = number
        self.seconds = seconds
        self._begun = begun
        self._ended = ended

    def begun(self, _: float) -> None:
        """It has a worker now."""
        self._begun()

    def ended(self, body: Body) -> None:
        """It is over."""
        self._ended(body)


class CodeTask(_Attempt):
    """A Python step; ``names`` are what its code sees, ``memory`` the bytes it may use."""

    __slots__ = ("memory", "names", "view")

    def __init__(  # noqa: PLR0913 - the values of one message
        self,
        number: int,
        seconds: float,
        begun: Begun,
        ended: Ended,
        *,
        view: CodeView,
        names: dict[str, Any],
        memory: int,
    ) -> None:
        super().__init__(number, seconds, begun, ended)
        self.view = view
        self.names = names
        self.memory = memory

    def message(self, worker: WorkerProcess, _: float) -> Message:
        """The code itself goes along once per worker."""
        known = self.view.digest in worker.digests
        worker.digests.add(self.view.digest)
        return [self.number, self.view.digest, None if known else self.view.code, self.names, self.memory]


class HttpTask(_Attempt):
    """An http step; the worker watches the time itself, the pool only where the worker is stuck."""

    __slots__ = ("_limit", "fields", "key")

    def __init__(
        self, number: int, seconds: float, begun: Begun, ended: Ended, *, fields: dict[str, Any], key: str
    ) -> None:
        self._limit = seconds or HTTP_SECONDS
        super().__init__(number, self._limit + _GRACE, begun, ended)
        self.fields = fields
        self.key = key

    def message(self, _: WorkerProcess, __: float) -> Message:
        """The request."""
        return [self.number, self.fields, self.key, self._limit]
