"""Leader election on a Lease of coordination.k8s.io, as Kubernetes' own controllers hold it, with a faster hand-over.

Standbys watch the Lease, so one that a leader released is taken over at once; a leader that died silently is succeeded
when its Lease was not renewed for 15 seconds. ``candidacy`` decides; here are the threads: one renews or stands by, one
watches, one calls back.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Final

from sluice.adapters.kubernetes.candidacy import Candidacy, Standing, Times
from sluice.adapters.kubernetes.leases import LeaseName
from sluice.adapters.kubernetes.transport import Limits
from sluice.api.kinds import LEASE
from sluice.ports.clock import Clock, SystemClock
from sluice.ports.errors import PortError
from sluice.ports.leadership import Deposed, Elected, Holder
from sluice.ports.store import Selector, Store, Watch

ELECTION_LIMITS: Final = Limits(connect_s=3.0, answer_s=5.0, attempts=2, longest_pause_s=0.5)
"""For the transport of an election's own store: a request that hangs must not cost the whole deadline."""

log = logging.getLogger(__name__)


class Elector:
    """Leadership by a Lease. ``store`` must be free to write whoever leads, and be patient for a few seconds at most
    (``ELECTION_LIMITS``).

    What stands in the Lease as its holder is the given identity and a few letters of this very process: one that was
    started again in the same place is another candidate, and waits until the one before has expired.
    """

    def __init__(
        self,
        store: Store,
        name: LeaseName,
        *,
        standing: Standing,
        times: Times | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._name = name
        self._times = times or Times()
        self._identity = f"{standing.identity}_{uuid.uuid4().hex[:8]}"
        alone = Standing(self._identity, standing.runner_url)
        self._candidacy = Candidacy(store, name, alone, times=self._times, clock=clock or SystemClock())
        self._moved = threading.Condition()
        self._over = False
        self._is_due = False
        self._watch: Watch | None = None
        self._threads: list[threading.Thread] = []

    def start(self, on_elected: Elected, on_deposed: Deposed) -> None:
        """See the port."""
        works: dict[str, Callable[[], None]] = {
            "stand": self._stand,
            "watch": self._follow,
            "tell": lambda: self._tell(on_elected, on_deposed),
        }
        self._threads = [
            threading.Thread(target=work, name=f"election-{name}", daemon=True) for name, work in works.items()
        ]
        for thread in self._threads:
            thread.start()

    def is_leading(self) -> bool:
        """See the port."""
        return self._candidacy.is_leading()

    @property
    def term(self) -> int:
        """See the port."""
        return self._candidacy.term

    def holder(self) -> Holder | None:
        """See the port."""
        return self._candidacy.holder()

    def release(self) -> None:
        """See the port."""
        self._candidacy.retire()
        with self._moved:
            self._over = True
            self._moved.notify_all()
            watch = self._watch
        if watch is not None:
            watch.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                # A watch that is just being opened can't be interrupted; nothing depends on its end.
                thread.join(self._times.retry_s if thread.name == "election-watch" else None)

    # -- the threads ------------------------------------------------------------------------------------------------
    def _stand(self) -> None:
        """Renew, or look for an election; in the end, leave the Lease to others."""
        is_well = True
        while not self._over:
            try:
                self._candidacy.step()
                is_well = True
            except PortError as error:
                log.log(logging.WARNING if is_well else logging.DEBUG, "the Lease %s: %s", self._name, error)
                is_well = False
            except Exception:
                log.exception("the election for the Lease %s has a fault", self._name)
            with self._moved:
                self._moved.notify_all()
                while not (self._is_due or self._over) and (pause := self._candidacy.pause()) > 0:
                    self._moved.wait(pause)
                self._is_due = False
        try:
            self._candidacy.vacate()
        except PortError as error:
            log.warning("the Lease %s could not be released; others wait until it expires: %s", self._name, error)

    def _follow(self) -> None:
        """Hear at once of a Lease that is released. Without it the standing thread's own looks have to do."""
        chosen = Selector(fields=f"metadata.name={self._name.name}")
        while not self._over:
            try:
                watch = self._store.watch(LEASE, self._name.namespace, chosen)
                with self._moved:
                    self._watch = watch
                if not self._over:
                    self._listen(watch)
                watch.close()
            except PortError as error:
                log.debug("the watch of the Lease %s ended: %s", self._name, error)
            except Exception:
                log.exception("the watch of the Lease %s has a fault", self._name)
            with self._moved:
                self._moved.wait_for(lambda: self._over, self._times.retry_s)

    def _listen(self, watch: Watch) -> None:
        for event in watch:
            is_due = self._candidacy.hear(event)
            with self._moved:
                self._is_due |= is_due
                self._moved.notify_all()

    def _tell(self, on_elected: Elected, on_deposed: Deposed) -> None:
        """Call back. A leadership may run out without a word of anybody, so this waits for its end too."""
        told = 0
        while True:
            with self._moved:
                while not self._over and (term := self._candidacy.term) == told:
                    self._moved.wait(self._candidacy.left())
                if self._over:
                    return
            if told and term != told:
                log.warning("leader no more: the term %d as %s is over", told, self._identity)
                self._call(on_deposed, told)
                told = 0
            elif term and not told:
                log.info("leader: the term %d begins as %s", term, self._identity)
                told = term
                if not self._call(on_elected, term):
                    self._candidacy.stand_back()
                    with self._moved:
                        self._is_due = True
                        self._moved.notify_all()

    def _call(self, callback: Callable[[int], None], term: int) -> bool:
        """Whether it did what it should."""
        try:
            callback(term)
        except Exception:
            log.exception("%s failed in the term %d", getattr(callback, "__name__", "a callback"), term)
            return False
        return True
