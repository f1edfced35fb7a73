"""Keeps what a source declares applied: when its files change, and when somebody changes what it owns."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sluice.ports.errors import PortError
from sluice.ports.source import Source, Tree
from sluice.ports.store import Ref
from sluice.reconcilers.sources.applying import Applied, Applier
from sluice.reconcilers.sources.plan import SOURCE_LABEL
from sluice.reconcilers.world import World
from sluice.runtime.cache import Change

RETRY_AFTER = 5.0
"""Seconds until what could not be applied is tried again."""

GONE = -1
"""Instead of a generation: the object was deleted."""

Report = Callable[[Tree, Applied], None]

log = logging.getLogger(__name__)


class Follower:
    """One source, two threads: one waits for its changes, one applies."""

    def __init__(self, world: World, source: Source, *, namespace: str, report: Report) -> None:
        self._source = source
        self._report = report
        self._applier = Applier(world, source.name, manager=f"sluice-dir/{source.name}", namespace=namespace)
        self._poked = threading.Event()
        self._closing = False
        self._syncing = False
        self._lock = threading.Lock()
        self._seen: dict[Ref, int] = {}
        self._kinds = {cache.kind.kind: cache.kind for cache in world.caches.all()}
        self._threads = [
            threading.Thread(target=self._watch, name="source-watch", daemon=True),
            threading.Thread(target=self._work, name="source-apply", daemon=True),
        ]
        for cache in world.caches.all():
            cache.on_change(lambda change, kind=cache.kind.kind: self._changed(kind, change))  # type: ignore[misc]

    def start(self) -> None:
        """Apply now, then follow."""
        self._poked.set()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let a sync in flight end, then stop."""
        self._closing = True
        self._source.close()
        self._poked.set()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        for _ in self._source.changes():
            self._poked.set()

    def _work(self) -> None:
        wait: float | None = None
        while True:
            self._poked.wait(wait)
            if self._closing:
                return
            self._poked.clear()
            self._syncing = True
            wait = self._sync()
            self._syncing = False
            self._look_for_drift()

    def _sync(self) -> float | None:
        """One sync; answers with the seconds after which it is to be done again, None if all is well."""
        tree, applied = Tree(()), Applied()
        try:
            tree = self._source.read()
            if not tree.errors:
                applied = self._applier.apply(tree)
        except PortError as error:
            applied = Applied(problems=(str(error),))
        except Exception as error:
            if self._closing:
                return None
            log.exception("applying %s failed", self._source.name)
            applied = Applied(problems=(f"a bug in Sluice: {error}",))
        self._report(tree, applied)
        return RETRY_AFTER if applied.problems else applied.look_again

    def _changed(self, kind: str, change: Change) -> None:
        """Note what became of an object that came from here. Called by the feeding thread, while we may be applying."""
        metadata = change.object["metadata"]
        if metadata.get("labels", {}).get(SOURCE_LABEL) != self._source.name:
            return
        ref = Ref(self._kinds[kind], *change.key)
        gone = change.type == "DELETED"
        with self._lock:
            self._seen[ref] = GONE if gone else metadata.get("generation", 0)
        if not self._syncing:
            self._look_for_drift()

    def _look_for_drift(self) -> None:
        """Sync again if an object that came from here is not as we left it; our own writes left it as it is."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if any(self._applier.left.get(ref, generation) != generation for ref, generation in seen.items()):
            self._poked.set()
