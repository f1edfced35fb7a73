"""A cluster of one's own, to install Sluice on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.build import program, programs
from tests.cluster.control_plane import running
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.installation import Cluster


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server that has never heard of Sluice; tests of one file share what they do to it."""
    with _new(tmp_path_factory.mktemp("plane")) as cluster:
        yield cluster


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same for one test, which may take everything away again."""
    with _new(tmp_path_factory.mktemp("plane")) as cluster:
        yield cluster


@contextmanager
def _new(folder: Path) -> Iterator[Cluster]:
    programs(*CONTROL_PLANE)
    with running(folder) as plane:
        yield Cluster(program("kubectl"), plane.kubeconfig)
