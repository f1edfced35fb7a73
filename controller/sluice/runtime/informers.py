"""Informers: one watch per kind keeps the caches of all reconcilers fresh, whatever happens to the connection.

Each kind has a thread that reads its watch; one thread takes in what they all read, in turn, because what listens to
caches expects a single one. A watch that can't go on (410, an outage) begins anew with what is there; what vanished
meanwhile is told as DELETED.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from sluice.api.kinds import KindInfo
from sluice.domain.objects.encoding import encoded
from sluice.ports.errors import Forbidden, Gone, PortError
from sluice.ports.store import Obj, Ref, Store, Watch, WatchEvent

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0
BACKLOG = 256
"""Changes that wait to be taken in. Decoded they are several times as large as they are kept, and memory once taken is not
given back: a start over 10,000 objects must not hold them all at a time."""

Listener = Callable[[WatchEvent], None]
LastKnown = Callable[[Ref], Obj | None]
"""The last state of an object that was taken in, or None."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Informer:
    """One kind's watch and what it went through. ``begun`` counts how often it had to begin anew, the first included."""

    kind: KindInfo
    namespace: str = ""
    """Empty: all of them."""
    events: int = 0
    begun: int = 0
    failures: int = 0
    synced: bool = False
    uids: dict[Ref, str] = field(default_factory=dict, repr=False)
    """Of what is there, as last told."""
    watch: Watch | None = None


class Informers:
    """Watches of ``kinds`` on ``store``; every change goes to ``listener``, on one thread, in the order of each kind.

    ``namespaces`` are those that are watched; without any, all.
    """

    def __init__(
        self,
        store: Store,
        kinds: Collection[KindInfo],
        listener: Listener,
        *,
        last_known: LastKnown,
        namespaces: Sequence[str] = (),
        owned: Collection[KindInfo] = (),
    ) -> None:
        """Of ``owned`` kinds it is kept who owns which field; of all others that is a third of an object, read by nobody."""
        self.informers = tuple(Informer(kind, namespace) for kind in kinds for namespace in namespaces or ("",))
        self._store = store
        self._listener = listener
        self._last_known = last_known
        self._owned = frozenset(owned)
        self._told: queue.Queue[WatchEvent | Informer | None] = queue.Queue(BACKLOG)
        self._synced = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start all threads; returns at once."""
        self._run("informers", self._take_in)
        for informer in self.informers:
            self._run(f"informer-{informer.kind.plural}", self._follow, informer)

    def wait_until_synced(self, timeout: float | None = None) -> bool:
        """Wait until everything that was there at the start has been taken in; False when time is over first."""
        return self._synced.wait(timeout) and not self._closed.is_set()

    def close(self) -> None:
        """End all watches and threads. Safe to call twice."""
        self._closed.set()
        self._synced.set()
        with self._lock:
            for informer in self.informers:
                if informer.watch is not None:
                    informer.watch.close()
        self._told.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, work: Callable[..., None], *given: Informer) -> None:
        thread = threading.Thread(target=work, args=given, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    # -- the thread that takes in -----------------------------------------------------------------------------------
    def _take_in(self) -> None:
        while (told := self._told.get()) is not None:
            try:
                if isinstance(told, Informer):
                    self._caught_up(told)
                else:
                    self._listener(told)
            except Exception:
                log.exception("a change could not be taken in")

    def _caught_up(self, informer: Informer) -> None:
        informer.synced = True
        if all(informer.synced for informer in self.informers):
            self._synced.set()

    # -- one thread for each kind -----------------------------------------------------------------------------------
    def _follow(self, informer: Informer) -> None:
        failed = 0
        while not self._closed.is_set():
            events = informer.events
            try:
                self._read(informer)
            except Gone:
                log.info("the watch of %s was left behind; beginning again with what is there", informer.kind.plural)
            except PortError as error:
                level = logging.ERROR if isinstance(error, Forbidden) else logging.WARNING
                log.log(level, "the watch of %s ended: %s; beginning again", informer.kind.plural, error)
            except Exception:
                log.exception("the watch of %s failed; beginning again", informer.kind.plural)
            failed = 1 if informer.events > events else failed + 1
            informer.failures += 1
            self._closed.wait(min(FIRST_PAUSE_S * 2 ** (failed - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1))

    def _read(self, informer: Informer) -> None:
        """One watch from its beginning: what is there, a bookmark, then what happens."""
        there: dict[Ref, str] = {}
        beginning = True
        for event in self._open(informer):
            if event.type != "BOOKMARK":
                self._hand_over(informer, event, there if beginning else informer.uids)
            elif beginning:
                beginning = False
                for ref in informer.uids.keys() - there.keys():
                    self._vanished(ref, int(event.resource_version))
                informer.uids = there
                self._tell(informer)

    def _open(self, informer: Informer) -> Watch:
        watch = self._store.watch(informer.kind, informer.namespace)
        with self._lock:
            informer.watch = watch
            if self._closed.is_set():
                watch.close()
        informer.begun += 1
        return watch

    def _hand_over(self, informer: Informer, event: WatchEvent, uids: dict[Ref, str]) -> None:
        informer.events += 1
        ref = event.ref or _ref(informer.kind, event.object)
        uid = event.object["metadata"].get("uid", "")
        if event.type == "DELETED":
            uids.pop(ref, None)
        else:
            if informer.uids.get(ref, uid) != uid:  # another one took its name while nobody watched
                self._vanished(ref, int(event.resource_version) - 1)
            uids[ref] = uid
        self._tell(_lean(event, owners=informer.kind in self._owned))

    def _vanished(self, ref: Ref, version: int) -> None:
        """Tell of the end of an object that nobody saw; ``version`` is one by which it was gone."""
        last = self._last_known(ref)
        if last is not None:
            self._tell(WatchEvent("DELETED", last, str(version), encoded(last), ref))

    def _tell(self, told: WatchEvent | Informer) -> None:
        """Wait until there is room, or nobody takes anything in any more."""
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._told.put(told, timeout=1.0)
                return


def _ref(kind: KindInfo, obj: Obj) -> Ref:
    return Ref(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def _lean(event: WatchEvent, *, owners: bool) -> WatchEvent:
    """Without who owns which field, or, with ``owners``, without who owns what of its status."""
    metadata = event.object["metadata"]
    if "managedFields" not in metadata:
        return event
    kept = {name: value for name, value in metadata.items() if name != "managedFields"}
    if owners:
        kept["managedFields"] = [entry for entry in metadata["managedFields"] if "subresource" not in entry]
    lean = {**event.object, "metadata": kept}
    return WatchEvent(event.type, lean, event.resource_version, encoded(lean), event.ref)
