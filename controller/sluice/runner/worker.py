"""The worker processes: what runs in them after the fork, one loop for code and one for http.

A task is ``[number, digest, code, names, memory]`` for code (``code`` is null where the worker has that digest already) and
``[number, fields, key, seconds]`` for http. The answer is ``[number, body]``, the body of a StepEnded.

The code worker takes one task after the other. The http worker takes many at a time, on threads: they only wait.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import threading
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

from sluice.runner.protocol import Frames, Message, encode
from sluice.runner.sandbox import give_up, limit_memory, mapped_bytes, scrub_environment
from sluice.steps.outcome import HTTP_UNREACHABLE, Body, Failure, failed
from sluice.steps.python import compile_code, execute

HTTP_TASKS = 16
"""How many requests one http worker has open at a time."""
PROXY_VARIABLES = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""What an http worker needs of the environment that Sluice was started in."""
_READ = 256 * 1024


def serve_code(sock: socket.socket, scratch: str) -> NoReturn:
    """Run code steps until the runner is gone; never returns. ``scratch`` is this worker's own folder."""
    scrub_environment()
    folder = Path(scratch)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chdir(folder)
    gc.freeze()
    mapped = mapped_bytes()
    give_up(scratch)
    _CodeWorker(sock, folder, mapped).run()
    os._exit(0)


def serve_http(sock: socket.socket) -> NoReturn:
    """Send requests until the runner is gone; never returns."""
    # 30 ms that only runners with an http step are to spend
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    from sluice.steps import http  # noqa: PLC0415

    scrub_environment(PROXY_VARIABLES)
    answering = threading.Lock()

    def work(number: int, fields: dict[str, Any], key: str, seconds: float) -> None:
        try:
            body = http.request(fields, key=key, seconds=seconds)
        except Exception as error:
            body = failed(HTTP_UNREACHABLE, f"{type(error).__name__}: {error}")
        with answering:
            _answer(sock, number, body)

    with ThreadPoolExecutor(HTTP_TASKS) as threads:
        for task in _tasks(sock):
            threads.submit(work, *task)
        # Nobody waits for what is still under way.
        os._exit(0)


class _CodeWorker:
    def __init__(self, sock: socket.socket, folder: Path, mapped: int) -> None:
        self._sock = sock
        self._folder = folder
        self._mapped = mapped
        self._programs: dict[str, tuple[CodeType, str] | Failure] = {}
        self._limited = False

    def run(self) -> None:
        for number, digest, code, names, memory in _tasks(self._sock):
            if not self._limited:
                limit_memory(memory, above=self._mapped)
                self._limited = True
            _answer(self._sock, number, self._execute(digest, code, names))
            self._tidy()

    def _execute(self, digest: str, code: str | None, names: dict[str, Any]) -> Body:
        try:
            program, source = self._program(digest, code)
        except Failure as failure:
            return failed(failure.reason, failure.message)
        return execute(program, names, source=source)

    def _program(self, digest: str, code: str | None) -> tuple[CodeType, str]:
        if code is not None:
            self._programs[digest] = _compiled(code)
        found = self._programs[digest]
        if isinstance(found, Failure):
            raise found
        return found

    def _tidy(self) -> None:
        """What a step left in the folder is not there for the next one."""
        for entry in os.scandir(self._folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def _compiled(code: str) -> tuple[CodeType, str] | Failure:
    """The program beside its source, or why there is none; either is kept, for the source is sent once."""
    try:
        return compile_code(code), code
    except Failure as failure:
        return failure


def _tasks(sock: socket.socket) -> Any:
    """The tasks as they arrive, until the stream ends."""
    frames = Frames()
    while data := sock.recv(_READ):
        yield from frames.feed(data)


def _answer(sock: socket.socket, number: int, body: Body) -> None:
    message: Message = [number, body]
    sock.sendall(encode(message))
