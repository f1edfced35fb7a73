"""A cluster of one's own, to install Sluice on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.build import program, programs
from tests.cluster.control_plane import running
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.installation import Cluster


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server that has never heard of Sluice; tests of one file share what they do to it."""
    programs(*CONTROL_PLANE)
    with running(tmp_path_factory.mktemp("plane")) as plane:
        yield Cluster(program("kubectl"), plane.kubeconfig)
