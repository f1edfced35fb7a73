"""The Launcher on Kubernetes: a Job (or pod) for each segment, and a seat that waits for its runner to come.

What runs is not this process's: it goes on when the controller is replaced, and is adopted by the next one.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sluice.adapters.kubernetes.launching.clusters import Cluster, ClusterOf, UsableCluster, reaching
from sluice.adapters.kubernetes.launching.making import is_of, make, needs_leave, require_leave
from sluice.adapters.kubernetes.launching.seats import Seat, Seats
from sluice.adapters.kubernetes.launching.workloads import has_finished
from sluice.api.environment import Launch
from sluice.domain.launching.names import SegmentPod
from sluice.domain.launching.network import network_policy_of
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import Installation, job_of, pod_of
from sluice.domain.launching.standing import pod_standing
from sluice.domain.run.events import Event, ends_elsewhere
from sluice.ports.errors import PortError
from sluice.ports.launcher import Segment

KEEP: Final = 2.0
"""A wait up to so many seconds (a retry's pause) does not end the segment: a new pod takes about as long to begin."""
LEASE: Final = 600.0
"""Seconds of silence after which a runner stops by itself; a minute later nobody counts on it any more."""
DROPPED: Final = 4001
"""Close code: the run is gone, there is nothing to come back for."""
RESTARTING: Final = 1012

log = logging.getLogger(__name__)


class KubernetesLauncher:
    """Starts segments as Jobs or pods. Safe for use from several threads."""

    remote = True

    def __init__(
        self,
        seats: Seats,
        cluster_of: ClusterOf,
        installation: Installation,
        *,
        usable: UsableCluster | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``usable`` answers with the cluster where something may be launched now, ``cluster_of`` to look after what was."""
        self._seats = seats
        self._cluster_of = cluster_of
        self._usable = usable or (lambda placement, **_: cluster_of(placement))
        self._installation = installation
        self._monotonic = monotonic

    def trust(self, authorities: str) -> None:
        """Tell runners from now on to know the controller by these certificates (PEM)."""
        self._installation = replace(self._installation, ca_pem=authorities)

    def prepare(self, placement: Placement) -> None:
        """Close the environment's pods off from the cluster's own network, as far as the cluster enforces it."""
        cluster = self._usable(placement, anew=True)
        with reaching(placement):
            require_leave(cluster, placement, self._installation.namespace)
            cluster.workloads.apply_policy(network_policy_of(placement, self._installation))

    def launch(self, segment: Segment) -> None:
        """Make the Job. One that an attempt before this one made, and did not hear of, is as good."""
        seat = self._seat(segment)
        replaced = self._seats.take(seat)
        if replaced is None:
            return
        try:
            cluster = self._usable(seat.placement)
            for older in replaced:
                self._end(older)
            with reaching(seat.placement):
                self._make(cluster, seat)
        except BaseException:
            self._seats.leave(seat)
            raise

    def adopt(self, segment: Segment) -> bool:
        """Take up what an earlier controller launched, if its Job is there and not over."""
        seat = self._seat(segment)
        seat.adopted = True
        placement = seat.placement
        with reaching(placement):
            workloads = self._cluster_of(placement).workloads
            found = workloads.find(placement.launch, placement.namespace, seat.name)
            if found is None or has_finished(found) or not is_of(found, _pod_of_segment(segment)):
                return False
            pods = [found] if placement.launch is Launch.POD else workloads.pods_of(placement.namespace, seat.name)
        # What was told of it before there was a seat is told once more: only a pod that runs can be silent for too long.
        seat.standing = pod_standing(pods[0], dt.datetime.now(dt.UTC)) if pods else None
        if seat.standing is not None and seat.standing.is_over:
            return False  # its Job does not say so yet
        return self._seats.take(seat) is not None or self._seats.find(seat.claim) is not None

    def cancel(self, run_uid: str, epoch: int, *, reason: str) -> bool:
        """Pass the wish on to the runner, now or when it comes."""
        begun = True
        with self._seats.lock:
            for seat in self._seats.of_run(run_uid):
                if seat.claim.epoch == epoch:
                    seat.cancel = reason
                    begun = bool(seat.holder) or seat.adopted
                    if seat.link is not None:
                        seat.link.send(["cancel", 1, reason])
        return begun

    def tell(self, run_uid: str, event: Event) -> None:
        """Pass it on to the runner, now and again whenever it comes."""
        with self._seats.lock:
            for seat in self._seats.of_run(run_uid):
                seat.told.append(event)
                if seat.link is not None:
                    seat.link.send(["told", 1, list(event)])

    def kill(self, run_uid: str) -> None:
        """Delete the Jobs of a run, and forget about it."""
        for seat in self._seats.of_run(run_uid):
            self._seats.leave(seat)
            if seat.link is not None:
                seat.link.close(DROPPED, "the run is gone")
            self._end(seat)

    def clear(self, run_uid: str, places: Sequence[Placement]) -> None:
        """Delete what is labelled as the run's there, by whichever controller it was launched."""
        for place in places:
            cluster = self._cluster_of(place)
            with reaching(place):
                cluster.workloads.remove_run(place.namespace, run_uid)

    def close(self) -> None:
        """Let go of the runners: they come back to whoever leads next."""
        for seat in self._seats.all():
            link = seat.link
            if link is not None:
                link.close(RESTARTING, "the controller stops")

    def _seat(self, segment: Segment) -> Seat:
        if segment.placement is None:
            raise ValueError(f"segment {segment.unit} of run {segment.run.name} has no placement")
        name, now = _pod_of_segment(segment).name, self._monotonic()
        told = ends_elsewhere(segment.history)
        return Seat(segment, segment.placement, name, launched=now, heard=now, cancel=segment.cancel, told=told)

    def _make(self, cluster: Cluster, seat: Seat) -> None:
        placement, pod = seat.placement, _pod_of_segment(seat.segment)
        if needs_leave(placement):
            require_leave(cluster, placement, self._installation.namespace)
        manifest = job_of if placement.launch is Launch.JOB else pod_of
        make(cluster, pod, placement, manifest(pod, placement, self._installation))

    def _end(self, seat: Seat) -> None:
        """Delete a Job, if that can be done now. If not, its pod is refused when it comes, and a sweep finds it."""
        placement = seat.placement
        try:
            self._cluster_of(placement).workloads.delete(placement.launch, placement.namespace, seat.name)
        except PortError as error:
            log.warning("%s %s/%s could not be deleted: %s", placement.launch, placement.namespace, seat.name, error)


def define(segment: Segment, now: int, *, cancel: str = "") -> tuple[list[object], list[object]]:
    """What a runner is told when it comes: its terms, then its assignment. ``now``: microseconds, the ledger's clock.

    ``cancel`` is why the run is to end, if it is.
    """
    terms = {
        "level": segment.level,
        "definition": segment.definition,
        "limits": segment.limits,
        "keep": KEEP,
        "idle": 0,
        "lease": LEASE,
        "now": now,
    }
    assignment = {
        "run": segment.run,
        "unit": segment.unit,
        "epoch": segment.epoch,
        "input": segment.input,
        "history": [list(event) for event in segment.history],
        "deadline": segment.deadline,
        "cancel": cancel,
    }
    return ["define", terms], ["assign", 1, assignment]


def _pod_of_segment(segment: Segment) -> SegmentPod:
    trigger = (segment.input.get("trigger") or {}).get("type") or "manual"
    left = max(1, math.ceil(segment.deadline / 1e6 - time.time())) if segment.deadline else 0
    return SegmentPod(segment.run, segment.unit, segment.epoch, trigger, left)
