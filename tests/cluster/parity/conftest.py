from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.adapters.admission import SchemaAdmission
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import SLUICE_KINDS
from sluice.crds import printer_columns, schemas
from sluice.crds.policies import CONTROLLER_USER
from sluice.http.kubernetes.authn import Access
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.group import kubernetes_group
from sluice.http.kubernetes.kubeconfig import Connection, write_kubeconfig
from sluice.ports.store import Actor
from tests.cluster.control_plane import ADMIN, USERS
from tests.http.live import running


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of an embedded server with the schemas, rules, columns and policies that the real one has."""
    writer, known, columns = Writer(":memory:"), schemas(), printer_columns()
    store = SqliteStore(
        writer, SchemaAdmission(known, controllers=[CONTROLLER_USER]), schemas=lambda kind: known.get(kind.kind)
    )
    catalog = Catalog(
        {kind: known[kind.kind] for kind in SLUICE_KINDS}, {kind: columns[kind.kind] for kind in SLUICE_KINDS}
    )
    access = Access(anonymous=Actor(USERS[ADMIN], ("system:masters", "system:authenticated")))
    kubeconfig = tmp_path_factory.mktemp("embedded") / "kubeconfig"
    with running([kubernetes_group(store, catalog, access=access, acting_as=store.acting_as)]) as live:
        write_kubeconfig(kubeconfig, Connection(live.url))
        yield kubeconfig
    store.close()
    writer.close()
