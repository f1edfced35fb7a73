from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where worlds are kept: in memory where the machine has it, since a simulated stop spares the disk anyway."""
    made = Path(tempfile.mkdtemp(prefix="sluice-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(autouse=True)
def quiet_stops() -> Iterator[None]:
    """A world that stops complains a lot, and every kept complaint would keep its world in memory."""
    logger = logging.getLogger("sluice")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)
