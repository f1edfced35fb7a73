"""One candidate's part in an election: what it knows of the Lease, when it may claim it, for how long it leads.

Why never two lead at once: a leader counts from the moment *before* it sent its last good renewal, the others from the
moment *after* they saw it, each by its own monotonic clock; the leader gives up after ``deadline_s``, the others wait for
the longer ``duration_s``; and each write names the resource version that it replaces, so of two only one succeeds. Times
of day that stand in the Lease are never compared with anybody's clock.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from sluice.adapters.kubernetes.leases import Claim, LeaseName, Record, claimed, read, released, renewed
from sluice.ports.clock import Clock
from sluice.ports.errors import AlreadyExists, Conflict, NotFound
from sluice.ports.leadership import Holder
from sluice.ports.store import Obj, Store, WatchEvent

_MOVED = (AlreadyExists, Conflict, NotFound)
"""Somebody else wrote the Lease, or removed it, since it was read."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Times:
    """How patient an election is, in seconds. ValueError unless retry < deadline < duration.

    ``duration_s``: how long the others wait after a leader's last sign of life. ``deadline_s``: how long a leader leads on
    it. ``retry_s``: how often a leader renews, and how often the others look. The distance of the first two is the
    margin for clocks that don't run equally fast and for requests on their way.
    """

    duration_s: float = 15.0
    deadline_s: float = 10.0
    retry_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.retry_s < self.deadline_s < self.duration_s:
            raise ValueError(
                "an election needs 0 < retry < deadline < duration, "
                f"not {self.retry_s}, {self.deadline_s} and {self.duration_s} seconds"
            )


@dataclass(frozen=True, slots=True)
class Standing:
    """Who stands. ``identity`` names one process and no other, not even a later one in its place."""

    identity: str
    runner_url: str = ""


@dataclass(frozen=True, slots=True)
class _Tenure:
    """A leadership: it is over at ``until`` of the monotonic clock, unless it is replaced by a longer one before."""

    term: int
    until: float


class Candidacy:
    """``step`` is called by one thread, again and again; all else by any."""

    def __init__(self, store: Store, name: LeaseName, standing: Standing, *, times: Times, clock: Clock) -> None:
        self._store = store
        self._name = name
        self._standing = standing
        self._times = times
        self._clock = clock
        self._lock = threading.Lock()
        self._tenure: _Tenure | None = None
        self._lease: Obj | None = None
        self._version = 0
        self._record: Record | None = None
        self._highest = 0
        self._looked = False
        self._in_doubt = False
        self._retired = False
        self._stepped_at = self._changed_at = self._back_at = clock.monotonic()
        self._heard_at = -math.inf

    # -- what is known ----------------------------------------------------------------------------------------------
    @property
    def term(self) -> int:
        """The term that is led in now; 0 if none. What was 0 once is never the same term again."""
        with self._lock:
            return self._tenure.term if self._is_current() and self._tenure else 0

    def is_leading(self) -> bool:
        """Whether this candidate leads now. Never waits."""
        tenure = self._tenure
        return tenure is not None and self._clock.monotonic() < tenure.until

    def holder(self) -> Holder | None:
        """See the port."""
        with self._lock:
            if self._is_current():
                return Holder(self._standing.identity, self._standing.runner_url)
            record = self._record
            if record is None or record.holder in {"", self._standing.identity}:
                return None
            return Holder(record.holder, record.runner_url) if self._clock.monotonic() < self._expiry(record) else None

    def left(self) -> float | None:
        """Seconds until the leadership is over if nothing renews it; None if there is none."""
        tenure = self._tenure
        return None if tenure is None else max(0.0, tenure.until - self._clock.monotonic())

    def pause(self) -> float:
        """Seconds until the next ``step`` is due."""
        with self._lock:
            now, record = self._clock.monotonic(), self._record
            due = self._stepped_at + self._times.retry_s
            if not self._is_current():
                due = max(due, self._heard_at + 2 * self._times.retry_s)  # a watch that works spares the looking
                if record is not None and self._expiry(record) > self._stepped_at:
                    due = min(due, self._expiry(record))
            return max(0.0, due - now)

    def hear(self, event: WatchEvent) -> bool:
        """Take in what a watch of the Lease says; whether that makes a ``step`` due at once."""
        if event.type == "BOOKMARK":
            return False
        with self._lock:
            version = int(event.resource_version)
            if version <= self._version:
                return False
            led = self._tenure is not None
            self._take(event.object, version)
            self._heard_at = self._clock.monotonic()
            if event.type == "DELETED":
                self._lease = None
            return self._is_free() or (led and self._tenure is None)

    # -- what is done -----------------------------------------------------------------------------------------------
    def step(self) -> None:
        """Renew, or look and claim what may be claimed. Raises what the store raises; the next step tries again."""
        with self._lock:
            self._stepped_at = self._clock.monotonic()
            leads, retired = self._is_current(), self._retired
        if retired:
            return
        if leads:
            self._renew()
        else:
            self._campaign()

    def stand_back(self) -> None:
        """Give up leading, and leave the next election to others: stand again after ``duration_s``."""
        with self._lock:
            self._tenure = None
            self._back_at = self._clock.monotonic() + self._times.duration_s

    def retire(self) -> None:
        """Never lead again. What the Lease says stays as it is until it is ``vacate``d or expires."""
        with self._lock:
            self._retired = True
            self._tenure = None

    def vacate(self) -> None:
        """If the Lease names this candidate, which does not lead any more, make it free for the others."""
        if self._in_doubt:
            self._look()
        for _ in range(_ATTEMPTS):
            with self._lock:
                lease, record = self._lease, self._record
            if lease is None or record is None or record.holder != self._standing.identity:
                return
            try:
                freed = self._store.update(released(lease, self._clock.now()))
            except _MOVED:
                self._look()
            else:
                with self._lock:
                    self._note(freed)

    def _renew(self) -> None:
        for _ in range(_ATTEMPTS):
            with self._lock:
                sent = self._clock.monotonic()
                if not self._is_current() or self._tenure is None:
                    return
                term, lease = self._tenure.term, self._lease
            try:
                if lease is None:  # somebody deleted it: whoever waits still waits, so nobody leads but this one
                    stored = self._store.create(claimed(None, self._name, self._claim(term), self._clock.now()))
                else:
                    stored = self._store.update(renewed(lease, self._clock.now()))
            except _MOVED:
                self._look()
                continue
            self._kept(stored, sent)
            return

    def _campaign(self) -> None:
        with self._lock:
            knows_enough = self._may_claim() and not self._in_doubt
        if not knows_enough:
            self._look()
        if self._clock.monotonic() < self._back_at:
            self.vacate()
        with self._lock:  # what is claimed is what was judged: a watch may tell of a newer one at any time
            if not self._may_claim():
                return
            sent = self._clock.monotonic()
            term, lease = self._highest + 1, self._lease
        self._in_doubt = True
        wanted = claimed(lease, self._name, self._claim(term), self._clock.now())
        try:
            stored = self._store.create(wanted) if lease is None else self._store.update(wanted)
        except _MOVED:
            self._look()
            return
        self._in_doubt = False
        self._won(stored, term, sent)

    def _claim(self, term: int) -> Claim:
        standing = self._standing
        return Claim(standing.identity, term, self._times.duration_s, standing.runner_url)

    def _look(self) -> None:
        """Read the Lease. What a server reads out is never older than what was known before it was asked."""
        try:
            lease = self._store.get(self._name.ref)
        except NotFound:
            with self._lock:
                self._looked, self._lease = True, None
        else:
            with self._lock:
                self._take(lease, int(lease["metadata"]["resourceVersion"]))
        self._in_doubt = False

    def _kept(self, stored: Obj, sent: float) -> None:
        with self._lock:
            self._note(stored)
            if self._is_current() and self._tenure is not None:
                self._lead(self._tenure.term, sent)

    def _won(self, stored: Obj, term: int, sent: float) -> None:
        with self._lock:
            self._note(stored)
            if not self._retired and self._clock.monotonic() >= self._back_at:
                self._lead(term, sent)

    # -- under the lock ---------------------------------------------------------------------------------------------
    def _may_claim(self) -> bool:
        """A Lease that was there and is gone counts as it last was: its holder may not know yet.

        Who never saw it can't wait for that, so two may lead for a moment where somebody deletes the Lease while a
        candidate begins.
        """
        now, record = self._clock.monotonic(), self._record
        if self._retired or not self._looked or now < self._back_at:
            return False
        if record is None or record.holder in {"", self._standing.identity}:
            return True
        return now >= self._expiry(record)

    def _lead(self, term: int, sent: float) -> None:
        """Lead from when the request was sent, unless somebody else was seen to write since, or it took too long."""
        until = sent + self._times.deadline_s
        if self._names_me(term) and self._clock.monotonic() < until:
            self._tenure = _Tenure(term, until)

    def _note(self, lease: Obj) -> None:
        """A write's answer, which a watch may have overtaken."""
        version = int(lease["metadata"]["resourceVersion"])
        if version > self._version:
            self._take(lease, version)

    def _take(self, lease: Obj, version: int) -> None:
        """Each new version is a sign of life, whatever changed: late is safe, early is not."""
        self._looked, self._lease = True, lease
        if version != self._version:
            self._version, self._changed_at = version, self._clock.monotonic()
        self._record = read(lease)
        self._highest = max(self._highest, self._record.term)
        if self._tenure is not None and not self._names_me(self._tenure.term):
            self._tenure = None

    def _names_me(self, term: int) -> bool:
        record = self._record
        return record is not None and (record.holder, record.term) == (self._standing.identity, term)

    def _is_current(self) -> bool:
        """Whether the tenure lasts; one that ran out is forgotten, so that it is never taken up again."""
        if self._tenure is not None and self._clock.monotonic() >= self._tenure.until:
            self._tenure = None
        return self._tenure is not None

    def _is_free(self) -> bool:
        return self._tenure is None and (self._record is None or not self._record.holder)

    def _expiry(self, record: Record) -> float:
        return self._changed_at + max(self._times.duration_s, record.duration_s)
