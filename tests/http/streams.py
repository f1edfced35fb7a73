"""Reads a watch event by event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from sluice.http.server import Running
from tests.http.places import WORKFLOWS

Event = dict[str, Any]


@contextmanager
def watching(
    server: Running, path: str = WORKFLOWS, *, accept: str = "", **parameters: str
) -> Iterator[Iterator[Event]]:
    """Events of a watch of ``path``, each as soon as it comes; ends when the server ends it."""
    headers = {"accept": accept} if accept else {}
    asked = {"watch": "true", **parameters}
    with (
        httpx.Client(base_url=server.url, timeout=10) as client,
        client.stream("GET", path, params=asked, headers=headers) as response,
    ):
        if response.status_code != 200:
            response.read()
            yield iter([{"type": "REFUSED", "object": response.json()}])
            return
        yield (json.loads(line) for line in response.iter_lines())


def told(event: Event) -> tuple[str, str]:
    """Type and name."""
    return event["type"], event["object"]["metadata"].get("name", "")
