from __future__ import annotations

import pytest

from sluice.runtime.queue import WorkQueue
from tests.simulation.embedded import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(clock: HandClock) -> WorkQueue:
    return WorkQueue("test", clock)
