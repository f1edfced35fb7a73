"""Caches that are behind what is stored: the normal case on a cluster."""

from __future__ import annotations

from sluice.api import kinds
from sluice.api.kinds import KindInfo
from sluice.ports.store import WatchEvent
from tests.simulation.embedded import Simulation
from tests.simulation.stepping import Execute


class Lagging(Simulation):
    """``hold`` keeps changes of kinds from the caches, ``catch_up`` hands them over in order."""

    def _build(self, execute: Execute) -> None:
        super()._build(execute)
        self._subscription.close()
        self._held: set[str] = set()
        self._late: list[WatchEvent] = []
        self._subscription = self.store.subscribe(kinds.SLUICE_KINDS, self._hear)

    def _hear(self, event: WatchEvent) -> None:
        if event.object["kind"] in self._held:
            self._late.append(event)
        else:
            self.system.feed(event)

    def hold(self, *held: KindInfo) -> None:
        self._held |= {kind.kind for kind in held}

    def catch_up(self) -> None:
        self._held.clear()
        late, self._late = self._late, []
        for event in late:
            self.system.feed(event)
        self.settle()
