from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.adapters.admission import SchemaAdmission
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import SLUICE_KINDS
from sluice.cli.records import NAMESPACE_VARIABLE, TOKEN_VARIABLE
from sluice.crds import printer_columns, schemas
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig
from sluice.ports.store import Actor
from tests.cli.cluster_place import ClusterPlace, opened
from tests.cli.place import ANA, Place
from tests.cluster.sharing import ControlPlane
from tests.http.live import running

VARIABLES = (
    *("KUBECONFIG", "SLUICE_DATA", "KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *(NAMESPACE_VARIABLE, TOKEN_VARIABLE),
)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No verb finds a server that is not the test's."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def served() -> Iterator[Place]:
    """One server for all tests, a new namespace's worth of objects for each."""
    writer, known, columns = Writer(":memory:"), schemas(), printer_columns()
    admission = SchemaAdmission(known, controllers=["system:sluice"])
    store = SqliteStore(writer, admission, schemas=lambda kind: known.get(kind.kind))
    catalog = Catalog(
        {kind: known[kind.kind] for kind in SLUICE_KINDS}, {kind: columns[kind.kind] for kind in SLUICE_KINDS}
    )
    access = Access(anonymous=Actor(ANA, ("leads", "system:authenticated")))
    group = kubernetes_group(store, catalog, access=access, acting_as=store.acting_as)
    with running([group]) as live:
        yield Place(store, live.url)
    store.close()
    writer.close()


@pytest.fixture
def place(served: Place, tmp_path: Path) -> Iterator[Place]:
    """The server, as `sluice up` announces it in this folder; empty again afterwards."""
    write_kubeconfig(tmp_path / ".sluice" / "kubeconfig", Connection(served.url))
    yield served
    while served.undo:
        served.undo.pop()()
    served.clear()


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[ClusterPlace]:
    """A namespace of a real cluster."""
    with opened(control_plane) as place:
        yield place
