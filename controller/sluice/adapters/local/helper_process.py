"""A process beside this one for work that would keep the interpreter busy: parsing and validating what is large.

One busy thread costs the run engine nine tenths of its speed, so whatever takes over a few milliseconds goes here. The
process is started when it is first needed, takes one call at a time, and ends with its standard input: it can't outlive us.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_LENGTH = struct.Struct(">I")

log = logging.getLogger(__name__)


class HelperDiedError(Exception):
    """The helper process ended while it worked on a call, or was closed."""


class HelperProcess:
    """Calls importable functions in another process; arguments and results are pickled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``function`` answers there, or raises. HelperDiedError when the process died of it, twice in a row.

        The work is never done here instead: what ends one process would end this one too.
        """
        request = pickle.dumps((function, args, kwargs))
        with self._lock:
            answer = self._exchange_or_none(request) or self._exchange_or_none(request)
        if answer is None:
            raise HelperDiedError("the helper process ended in the middle of its work")
        outcome, value = pickle.loads(answer)
        if outcome == "raised":
            raise value
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process; a call that is under way ends too. Safe to call twice."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()

    def _exchange_or_none(self, request: bytes) -> bytes | None:
        try:
            return self._exchange(request)
        except (OSError, EOFError) as error:
            self._end()
            if not self._closed:
                log.warning("the helper process died: %s", error)
            return None

    def _exchange(self, request: bytes) -> bytes:
        if self._closed:
            raise EOFError("closed")
        if self._process is None:
            command = [sys.executable, "-m", "sluice.adapters.local.helper_process"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _write(self._process.stdin, request)
        return _read(self._process.stdout)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.kill()
        process.wait()


def _write(pipe: IO[bytes], body: bytes) -> None:
    pipe.write(_LENGTH.pack(len(body)) + body)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    body = pipe.read(size)
    if len(body) < size:
        raise EOFError("the other side is gone")
    return body


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    while True:
        try:
            request = _read(requests)
        except EOFError:
            return
        function, args, kwargs = pickle.loads(request)
        answer: tuple[str, Any]
        try:
            answer = ("returned", function(*args, **kwargs))
        except Exception as error:
            answer = ("raised", error)
        _write(answers, pickle.dumps(answer))


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends us when it has ended its work
    _serve(sys.stdin.buffer, sys.stdout.buffer)
