"""What every endpoint works with, and what one request brings along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.hub import Hub
from sluice.http.kubernetes.options import Query
from sluice.http.kubernetes.paths import Target
from sluice.http.kubernetes.reads import Reader, Threads
from sluice.ports.store import Actor, Store


@dataclass(frozen=True, slots=True)
class Service:
    """The parts behind the endpoints. ``acting_as`` gives the store that writes as one actor."""

    catalog: Catalog
    access: Access
    acting_as: Callable[[Actor], Store]
    reader: Reader
    threads: Threads
    hub: Hub


@dataclass(frozen=True, slots=True)
class Call:
    """One request about one kind."""

    request: Request
    target: Target
    actor: Actor
    query: Query
