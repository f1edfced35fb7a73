"""A control plane and a PostgreSQL that may fail: each test process has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.postgres.server import Server
from tests.adapters.postgres.server import running as running_postgres
from tests.cluster.build import program, programs
from tests.cluster.control_plane import Plane, running
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.installation import Cluster, install


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane with Sluice's kinds, whose parts the tests kill."""
    programs(*CONTROL_PLANE)
    with running(tmp_path_factory.mktemp("plane")) as made:
        install(Cluster(program("kubectl"), made.kubeconfig))
        yield made


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL that the tests restart."""
    with running_postgres() as server:
        yield server
