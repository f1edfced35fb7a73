"""A live server on a free port, for tests that need a socket: kubectl, watches, graceful ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sluice.http.server import RouteGroup, Running, compose, serve

START = 20
"""Seconds in which a server must answer."""


@contextmanager
def running(groups: Sequence[RouteGroup], **options: Any) -> Iterator[Running]:
    """``options`` are those of ``serve``."""
    started: list[Running] = []
    ready = threading.Event()

    def note(server: Running) -> None:
        started.append(server)
        ready.set()

    thread = threading.Thread(target=lambda: serve(compose(groups), ready=note, **{"port": 0, **options}), daemon=True)
    thread.start()
    assert ready.wait(START), "the server did not start"
    try:
        yield started[0]
    finally:
        started[0].stop()
        thread.join(START)
        assert not thread.is_alive(), "the server did not stop"
