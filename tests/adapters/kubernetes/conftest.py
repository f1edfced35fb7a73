from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.adapters.kubernetes.watching import WatchLimits
from tests.adapters.kubernetes.elections import Scene
from tests.adapters.kubernetes.scripted import Answer, Scripted, scripted
from tests.adapters.sqlite.stores import Opened as OpenedInMemory

Opened = tuple[KubernetesStore, Scripted]
Open = Callable[..., Opened]
QUICK = WatchLimits(silence_s=0.3, first_pause_s=0.001, longest_pause_s=0.002, patience_s=0.005)


@pytest.fixture
def opened() -> Iterator[Open]:
    """Makes a store on a server that gives these answers; watches lose patience in no time."""
    with ExitStack() as ends:

        def make(*answers: Answer, token: str = "secret", limits: Limits | None = None) -> Opened:
            server = ends.enter_context(scripted(*answers))
            store = KubernetesStore(Transport(Token(server.url, token), limits), watches=QUICK)
            ends.callback(store.close)
            return store, server

        yield make


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Candidates for a Lease in a store in memory."""
    with OpenedInMemory() as opened:
        yield Scene(opened.store)
