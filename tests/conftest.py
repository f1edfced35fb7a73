"""Fixtures for tests of every area."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.cluster.sharing import ControlPlane, shared

# Kubernetes' programs have room here, and the processors are what is short: let their memory grow before it is collected.
os.environ.setdefault("GOGC", "400")

# How long an example takes says more about the machine than about the code.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real Kubernetes API server with Sluice's kinds, for tests marked ``cluster``; one for all workers of a run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"process-{os.getpid()}")
    with shared(run) as plane:
        yield plane
