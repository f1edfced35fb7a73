"""Looks after seats: what their pods' states mean for them, heartbeats, and runners that are silent for too long."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from typing import Final

from sluice.adapters.kubernetes.launching.clusters import ClusterKey, ClusterOf, key_of
from sluice.adapters.kubernetes.launching.containers import KubernetesContainers
from sluice.adapters.kubernetes.launching.launcher import LEASE
from sluice.adapters.kubernetes.launching.seats import Claim, Seat, Seats
from sluice.adapters.kubernetes.launching.workloads import has_finished
from sluice.adapters.kubernetes.periodic import Periodic
from sluice.api.environment import Launch
from sluice.api.reasons import Reason, StepReason
from sluice.domain.launching.names import owns_pod, segment_of
from sluice.domain.launching.refusals import job_refusal
from sluice.domain.launching.standing import PodStanding, PodState, pod_standing
from sluice.ports.errors import PortError, Unavailable
from sluice.ports.launcher import SegmentSink
from sluice.ports.store import Obj

TICK_S: Final = 5.0
HEARTBEAT_S: Final = 20.0
SILENT_S: Final = 65.0
"""A connection that was silent for so long is none; its runner connects anew."""
GIVEN_UP_S: Final = LEASE + 60.0
"""After so much silence a runner has stopped by itself, whatever it was."""
LOOKS_AT_A_TICK: Final = 20
"""Jobs without a pod that are asked about at a time."""
UNHEARD_S: Final = 120.0
"""A pod that runs for so long without having come can't reach the controller."""
SEEN_AGAIN: Final = 4000

log = logging.getLogger(__name__)


class Oversight:
    """One thread that ticks; ``seen`` and ``missed`` are the pod watchers' to call."""

    def __init__(
        self,
        seats: Seats,
        cluster_of: ClusterOf,
        sink: Callable[[], SegmentSink],
        *,
        containers: KubernetesContainers | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``containers`` are told of pods and of time as well: theirs have no seat."""
        self._seats = seats
        self._containers = containers
        self._cluster_of = cluster_of
        self._sink = sink
        self._monotonic = monotonic
        self._beaten = 0.0
        self._thread = Periodic("oversight", self.tick, TICK_S)

    def start(self) -> None:
        """Start ticking."""
        self._thread.start()

    def close(self) -> None:
        """Stop ticking. Safe to call twice."""
        self._thread.close()

    # -- pods -------------------------------------------------------------------------------------------------------
    def seen(self, cluster: ClusterKey, pod: Obj, *, gone: bool) -> None:
        """A pod changed, or is gone."""
        if self._containers is not None:
            self._containers.seen(cluster, pod, gone=gone)
        seat = self._seat_of(cluster, pod)
        if seat is None:
            return
        standing = pod_standing(None if gone else pod, dt.datetime.now(dt.UTC))
        before, seat.standing = seat.standing, standing
        if standing.is_over or gone:
            if not seat.closing:
                self._lose(seat, *_end_of(before, standing))
        elif isinstance(standing.reason, Reason) and standing.reason is not Reason.POD_STARTING:
            self._sink().hindered(*seat.claim, standing.reason, standing.message)
        elif before is not None and isinstance(before.reason, Reason):
            self._sink().hindered(*seat.claim, None, "")

    def missed(self, cluster: ClusterKey, there: set[tuple[str, str]]) -> None:
        """All pods there are on a cluster: a seat that had one and has it no more has lost it while nobody watched."""
        if self._containers is not None:
            self._containers.missed(cluster, there)
        for seat in self._seats.all():
            if key_of(seat.placement) != cluster or not (seat.holder or seat.standing):
                continue
            namespace, launch = seat.placement.namespace, seat.placement.launch
            is_there = any(where == namespace and owns_pod(seat.name, name, launch) for where, name in there)
            if not is_there and not seat.closing:
                self._lose(seat, "its pod is gone", StepReason.RUNNER_LOST)

    def _seat_of(self, cluster: ClusterKey, pod: Obj) -> Seat | None:
        metadata = pod["metadata"]
        key = segment_of(metadata.get("labels") or {})
        seat = self._seats.find(Claim(key.run_uid, key.unit, key.epoch)) if key else None
        if seat is None or key_of(seat.placement) != cluster or metadata["namespace"] != seat.placement.namespace:
            return None
        is_its = owns_pod(seat.name, metadata["name"], seat.placement.launch)
        return seat if is_its and seat.holder in ("", metadata.get("uid")) else None

    # -- time -------------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """One look at all seats."""
        if self._containers is not None:
            self._containers.tick()
        now = self._monotonic()
        beat = now - self._beaten >= HEARTBEAT_S
        if beat:
            self._beaten = now
        looks = 0
        for seat in self._seats.all():
            silent = now - seat.heard
            if silent > GIVEN_UP_S and self._has_pod(seat):
                self._give_up(seat)
            elif seat.link is not None and silent > SILENT_S:
                seat.link.close(SEEN_AGAIN, "silent for too long")
            elif seat.link is not None and beat:
                seat.link.send(["heartbeat"])
            elif self._is_unheard(seat, now):
                self._sink().hindered(*seat.claim, Reason.RUNNER_UNREACHABLE, _UNREACHABLE)
            elif looks < LOOKS_AT_A_TICK and self._is_missing_pod(seat, now):
                looks += 1
                self._look_for_pod(seat)

    def _has_pod(self, seat: Seat) -> bool:
        """Whether anything runs that could be silent: a pod that waits for a node is not."""
        running = seat.standing is not None and seat.standing.state is PodState.RUNNING
        return bool(seat.holder) or running

    def _is_unheard(self, seat: Seat, now: float) -> bool:
        running = seat.standing is not None and seat.standing.state is PodState.RUNNING
        return running and not seat.holder and now - seat.launched > UNHEARD_S

    def _is_missing_pod(self, seat: Seat, now: float) -> bool:
        """Asked after 5 s, then after twice as long each time, 5 min at most."""
        due = TICK_S * (2 ** min(seat.looked + 1, 6) - 1)
        return seat.standing is None and not seat.holder and now - seat.launched >= due

    def _look_for_pod(self, seat: Seat) -> None:
        """A Job without a pod: it is gone, or says why in Events alone."""
        seat.looked += 1
        placement = seat.placement
        try:
            workloads = self._cluster_of(placement).workloads
            found = workloads.find(placement.launch, placement.namespace, seat.name)
            if found is None:
                self._lose(seat, f"its {placement.launch} {seat.name} was deleted", StepReason.RUNNER_LOST)
            elif has_finished(found):
                self._lose(
                    seat, f"its {placement.launch} {seat.name} ended without a pod that came", StepReason.RUNNER_LOST
                )
            elif placement.launch is Launch.JOB:
                for message in workloads.complaints(placement.namespace, found["metadata"]["uid"]):
                    refusal = job_refusal(message)
                    self._sink().hindered(*seat.claim, refusal.reason, refusal.message)
                    break
        except PortError as error:
            log.warning("%s %s/%s can't be looked at: %s", placement.launch, placement.namespace, seat.name, error)
            self._tell_unreachable(seat, error)

    def _give_up(self, seat: Seat) -> None:
        """It was silent for longer than its lease: it has stopped, and what is left of it is removed."""
        placement = seat.placement
        try:
            workloads = self._cluster_of(placement).workloads
            workloads.delete(placement.launch, placement.namespace, seat.name)
        except PortError as error:
            log.warning("%s %s/%s can't be deleted: %s", placement.launch, placement.namespace, seat.name, error)
            self._tell_unreachable(seat, error)
            return
        why = f"its runner was silent for {GIVEN_UP_S:.0f} s"
        known = seat.standing
        if known is not None and isinstance(known.reason, StepReason):
            self._lose(seat, f"{why}; {known.message}", known.reason)
        else:
            self._lose(seat, why, StepReason.NODE_LOST)

    def _tell_unreachable(self, seat: Seat, error: PortError) -> None:
        """Show it on the run, where it is not the controller's own cluster that is away."""
        if seat.placement.is_remote and isinstance(error, Unavailable):
            secret = key_of(seat.placement).secret
            self._sink().hindered(
                *seat.claim, Reason.CLUSTER_UNREACHABLE, f"the cluster of Secret {secret} can't be reached"
            )

    def _lose(self, seat: Seat, message: str, reason: StepReason) -> None:
        if self._seats.leave(seat):
            if seat.link is not None:
                seat.link.close(SEEN_AGAIN, "given up")
            self._sink().lost(*seat.claim, message, reason=reason)


_UNREACHABLE = "its pod runs and has not reached the controller: look for a NetworkPolicy, and at SLUICE_RUNNER_URL"


def _end_of(before: PodStanding | None, standing: PodStanding) -> tuple[str, StepReason]:
    """Why a segment lost its pod: of one that is gone, what was said when it began to go."""
    for known in (standing, before) if standing.state is not PodState.GONE else (before, standing):
        if known is not None and isinstance(known.reason, StepReason):
            return known.message, known.reason
    return "its runner ended without a word of how the segment ended", StepReason.RUNNER_LOST
