"""Every adapter of the Store port, each test in a namespace of its own. Tests never name a backend."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sluice.adapters.admission.schema_admission import SchemaAdmission
from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import NAMESPACE
from sluice.crds.bundle import schemas
from sluice.ports.store import Ref, Store
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import config_map, namespace_manifest

Opened = tuple[Store, Callable[[], None]]


def sqlite(path: Path | str, *, admitted: bool) -> Opened:
    """A store on one SQLite file or in memory, opened anew after some writes; ``admitted`` with the rules of the CRDs."""
    writer = Writer(path)
    earlier = SqliteStore(writer)
    for name in "abc":
        earlier.create(config_map("default", f"earlier-{name}"))
    earlier.close()
    known = schemas()
    admission = SchemaAdmission(known, controllers=["system:sluice"]) if admitted else None
    store = SqliteStore(writer, admission, schemas=lambda kind: known.get(kind.kind))

    def close() -> None:
        store.close()
        writer.close()

    return store, close


def kubernetes(plane: ControlPlane) -> Opened:
    """A store on a real API server, which has the rules of the CRDs and collects garbage by itself."""
    store = KubernetesStore(Transport(from_kubeconfig(plane.kubeconfig, plane.controller)))
    return store, store.close


BACKENDS: dict[str, Callable[[pytest.FixtureRequest], Opened]] = {
    "sqlite-memory": lambda _: sqlite(":memory:", admitted=True),
    "sqlite-file": lambda request: sqlite(request.getfixturevalue("tmp_path") / "objects.db", admitted=False),
    "kubernetes": lambda request: kubernetes(request.getfixturevalue("control_plane")),
}
ON_A_CLUSTER = pytest.param("kubernetes", marks=pytest.mark.cluster)


@pytest.fixture(params=["sqlite-memory", "sqlite-file", ON_A_CLUSTER])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store, open while the test runs."""
    opened, close = BACKENDS[request.param](request)
    yield opened
    close()


@pytest.fixture
def namespace(store: Store) -> Iterator[str]:
    """A namespace that nothing else uses, in this run or another one on the same cluster."""
    name = f"contract-{uuid.uuid4().hex[:12]}"
    store.create(namespace_manifest(name))
    yield name
    store.delete(Ref(NAMESPACE, "", name))
