"""A live server on a free port, for tests that need a socket: kubectl, watches, graceful ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sluice.http.server import RouteGroup, Running, Tls, compose, serve

START = 20
"""Seconds in which a server must answer."""


@contextmanager
def running(groups: Sequence[RouteGroup], *, tls: Tls | None = None) -> Iterator[Running]:
    started: list[Running] = []
    ready = threading.Event()

    def note(server: Running) -> None:
        started.append(server)
        ready.set()

    thread = threading.Thread(target=lambda: serve(compose(groups), port=0, tls=tls, ready=note), daemon=True)
    thread.start()
    assert ready.wait(START), "the server did not start"
    try:
        yield started[0]
    finally:
        started[0].stop()
        thread.join(START)
        assert not thread.is_alive(), "the server did not stop"
