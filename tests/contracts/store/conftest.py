"""Every adapter of the Store port, each test in a namespace of its own. Tests never name a backend."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sluice.adapters.admission.schema_admission import SchemaAdmission
from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import NAMESPACE
from sluice.crds.bundle import schemas
from sluice.ports.store import Ref, Store
from tests.contracts.store.builders import config_map, namespace_manifest

_numbers = itertools.count(1)

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


BACKENDS: dict[str, Callable[[Path], Opened]] = {
    "sqlite-memory": lambda _: sqlite(":memory:", admitted=True),
    "sqlite-file": lambda folder: sqlite(folder / "objects.db", admitted=False),
}


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store, open while the test runs."""
    opened, close = BACKENDS[request.param](tmp_path)
    yield opened
    close()


@pytest.fixture
def namespace(store: Store) -> Iterator[str]:
    """A namespace that nothing else uses."""
    name = f"contract-{next(_numbers)}"
    store.create(namespace_manifest(name))
    yield name
    store.delete(Ref(NAMESPACE, "", name))
