from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.kubernetes.kubeconfig import Connection
from sluice.http.server import RouteGroup, Running, compose
from sluice.ports.store import Actor
from tests.http.client import Client
from tests.http.kubectl import Kubectl
from tests.http.live import running
from tests.http.schemas import catalog

ANA = Actor("ana@example.com", ("leads", "system:authenticated"))


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    writer = Writer(":memory:")
    made = SqliteStore(writer, schemas=catalog().schema_of)
    yield made
    made.close()
    writer.close()


@pytest.fixture
def access() -> Access:
    return Access(anonymous=ANA)


@pytest.fixture
def group(store: SqliteStore, access: Access) -> RouteGroup:
    return kubernetes_group(store, catalog(), access=access, acting_as=store.acting_as)


@pytest.fixture
def client(group: RouteGroup) -> Iterator[Client]:
    """Requests without a socket; watches need the live ``server``."""
    made = Client(compose([group]))
    yield made
    made.close()
    group.closing()
    group.stopped()


@pytest.fixture
def server(group: RouteGroup) -> Iterator[Running]:
    with running([group]) as live:
        yield live


@pytest.fixture
def kubectl(server: Running, tmp_path: Path) -> Kubectl:
    return Kubectl(tmp_path, Connection(server.url))
