"""The Containers port on Kubernetes: a Job (or pod) for each attempt, looked at and followed by the watch of pods."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sluice.adapters.kubernetes.launching.attempts import Attempt, Attempts, claim_of
from sluice.adapters.kubernetes.launching.clusters import Cluster, ClusterKey, ClusterOf, key_of, reaching
from sluice.adapters.kubernetes.launching.making import is_of, make, needs_leave, require_leave, somebody_elses
from sluice.adapters.kubernetes.launching.seats import Claim
from sluice.adapters.kubernetes.launching.workloads import has_finished
from sluice.api.environment import Launch
from sluice.domain.launching.names import owns_pod, segment_of
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import Installation
from sluice.domain.launching.refusals import job_refusal
from sluice.domain.launching.step_endings import ABSENT, Sight, last_words
from sluice.domain.launching.step_pods import STEP_CONTAINER, StepPod, manifest_of
from sluice.domain.timestamps import parse_stamp, to_micros
from sluice.ports.containers import Changed
from sluice.ports.errors import PortError
from sluice.ports.store import Obj

LOOKS_AT_A_TICK: Final = 20
LOG_LINES: Final = 500
LOG_BYTES: Final = 64 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Leftover:
    """A Job whose end is recorded; ``due`` in monotonic seconds."""

    step: StepPod
    due: float


class KubernetesContainers:
    """Any thread may use it. ``seen``, ``missed`` and ``tick`` are the oversight's to call."""

    def __init__(
        self,
        cluster_of: ClusterOf,
        installation: Installation,
        changed: Changed,
        *,
        usable: ClusterOf | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``usable`` answers with the cluster where something may be launched now, ``cluster_of`` to look after what was."""
        self._cluster_of = cluster_of
        self._usable = usable or cluster_of
        self._installation = installation
        self._changed = changed
        self._monotonic = monotonic
        self._attempts = Attempts()
        self._leftovers: list[_Leftover] = []
        self._lock = threading.Lock()

    # -- the port ---------------------------------------------------------------------------------------------------
    def launch(self, step: StepPod) -> None:
        """See the port."""
        placement = step.placement
        cluster = self._usable(placement)
        with reaching(placement):
            if needs_leave(placement):
                require_leave(cluster, placement, self._installation.namespace)
            # Followed first, so that nothing is missed of a pod that is quick.
            attempt = self._attempts.follow(Attempt(step, self._monotonic(), made=_now()))
            try:
                uid = make(cluster, step.pod, placement, manifest_of(step, self._installation))
            except BaseException:
                self._attempts.forget(attempt.claim)
                raise
            attempt.belongs_to(uid)
            attempt.told = attempt.sight(_utc())

    def look(self, step: StepPod) -> Sight:
        """See the port."""
        attempt = self._attempts.find(claim_of(step)) or self._find(step)
        if attempt is None:
            return ABSENT
        attempt.told = attempt.sight(_utc())
        return attempt.told

    def log(self, step: StepPod) -> str:
        """See the port."""
        attempt = self._attempts.find(claim_of(step))
        if attempt is None or attempt.pod is None:
            return ""
        metadata = attempt.pod["metadata"]
        try:
            workloads = self._cluster_of(step.placement).workloads
            told = workloads.log(metadata["namespace"], metadata["name"], STEP_CONTAINER, lines=LOG_LINES)
        except PortError as error:
            log.warning("the log of pod %s/%s can't be read: %s", metadata["namespace"], metadata["name"], error)
            return last_words(attempt.pod) if not step.program.output_from else ""
        return told[-LOG_BYTES:].decode("utf-8", "replace")

    def stop(self, step: StepPod) -> None:
        """See the port."""
        placement = step.placement
        with reaching(placement):
            self._cluster_of(placement).workloads.delete(placement.launch, placement.namespace, step.pod.name)
        self._attempts.forget(claim_of(step))

    def release(self, step: StepPod) -> None:
        """See the port. If this process ends before, the Job goes by itself, later."""
        self._attempts.forget(claim_of(step))
        with self._lock:
            self._leftovers.append(_Leftover(step, self._monotonic() + step.placement.ttl_s))

    def kill(self, run_uid: str) -> None:
        """See the port."""
        for attempt in self._attempts.of_run(run_uid):
            self._attempts.forget(attempt.claim)
            self._remove(attempt.step)

    def places(self) -> list[Placement]:
        """Where there is something to be looked after."""
        return [attempt.step.placement for attempt in self._attempts.all()]

    # -- pods -------------------------------------------------------------------------------------------------------
    def seen(self, cluster: ClusterKey, pod: Obj, *, gone: bool) -> None:
        """A pod changed, or is gone."""
        metadata = pod["metadata"]
        key = segment_of(metadata.get("labels") or {})
        attempt = self._attempts.find(Claim(key.run_uid, key.unit, key.epoch)) if key else None
        if attempt is None or not _is_its(pod, attempt, cluster):
            return
        attempt.pod = pod
        if gone:
            attempt.vanished = "somebody deleted its pod"
        self._tell(attempt)

    def missed(self, cluster: ClusterKey, there: set[tuple[str, str]]) -> None:
        """All pods there are on a cluster: one that had been seen and is not among them is gone."""
        for attempt in self._attempts.all():
            if attempt.pod is None or key_of(attempt.step.placement) != cluster:
                continue
            metadata = attempt.pod["metadata"]
            if (metadata["namespace"], metadata["name"]) not in there:
                attempt.vanished = "its pod is gone"
                self._tell(attempt)

    # -- time -------------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """One look at all: a node may be silent for too long by now, and a Job without a pod says why in Events alone."""
        now, looks = self._monotonic(), 0
        for attempt in self._attempts.all():
            if looks < LOOKS_AT_A_TICK and attempt.is_missing_pod(now):
                looks += 1
                attempt.looked += 1
                self._look_for_pod(attempt)
            self._tell(attempt)
        with self._lock:
            due = [leftover for leftover in self._leftovers if leftover.due <= now]
            self._leftovers = [leftover for leftover in self._leftovers if leftover.due > now]
        for leftover in due:
            self._remove(leftover.step)

    # -- one attempt ------------------------------------------------------------------------------------------------
    def _find(self, step: StepPod) -> Attempt | None:
        """Follow what somebody else launched, if it is there. LaunchRefused when its name is somebody else's."""
        placement = step.placement
        with reaching(placement):
            cluster = self._cluster_of(placement)
            found = cluster.workloads.find(placement.launch, placement.namespace, step.pod.name)
            if found is None:
                return None
            if not is_of(found, step.pod):
                raise somebody_elses(step.pod, placement)
            made = to_micros(parse_stamp(found["metadata"]["creationTimestamp"]))
            attempt = self._attempts.follow(Attempt(step, self._monotonic(), made=made))
            # Followed first: what happens to its pod from now on is heard of, what happened before is in the list.
            self._take(attempt, cluster, found)
        return attempt

    def _take(self, attempt: Attempt, cluster: Cluster, found: Obj) -> None:
        """Learn of the pod of a Job that is there."""
        placement = attempt.step.placement
        attempt.belongs_to(found["metadata"]["uid"])
        if placement.launch is Launch.POD:
            pods = [found]
        else:
            pods = cluster.workloads.pods_of(placement.namespace, attempt.step.pod.name)
        its = [pod for pod in pods if _is_its(pod, attempt, cluster.key)]
        if its and attempt.pod is None:
            attempt.pod = max(its, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        elif not its and has_finished(found):
            attempt.vanished = (
                f"its {placement.launch} {attempt.step.pod.name} is over, and its pod is not there any more"
            )

    def _look_for_pod(self, attempt: Attempt) -> None:
        placement, name = attempt.step.placement, attempt.step.pod.name
        try:
            cluster = self._cluster_of(placement)
            found = cluster.workloads.find(placement.launch, placement.namespace, name)
            if found is None:
                attempt.vanished = f"its {placement.launch} {name} was deleted"
                return
            self._take(attempt, cluster, found)
            if attempt.pod is None and placement.launch is Launch.JOB:
                complaint = next(cluster.workloads.complaints(placement.namespace, attempt.uid), "")
                refusal = job_refusal(complaint) if complaint else None
                attempt.hindrance = (refusal.reason, refusal.message) if refusal else None
        except PortError as error:
            log.warning("%s %s/%s can't be looked at: %s", placement.launch, placement.namespace, name, error)

    def _tell(self, attempt: Attempt) -> None:
        """Have the run looked at if there is anything new to be seen."""
        sight = attempt.sight(_utc())
        if sight != attempt.told:
            attempt.told = sight
            run = attempt.step.pod.run
            self._changed(run.namespace, run.name)

    def _remove(self, step: StepPod) -> None:
        """Delete its Job, if that can be done now; it goes by itself, later, if not."""
        placement, name = step.placement, step.pod.name
        try:
            self._cluster_of(placement).workloads.delete(placement.launch, placement.namespace, name)
        except PortError as error:
            log.warning("%s %s/%s could not be deleted: %s", placement.launch, placement.namespace, name, error)


def _is_its(pod: Obj, attempt: Attempt, cluster: ClusterKey) -> bool:
    """Whether a pod is the attempt's own: by name, and by uid where that is known."""
    metadata, placement = pod["metadata"], attempt.step.placement
    if key_of(placement) != cluster or metadata["namespace"] != placement.namespace:
        return False
    return owns_pod(attempt.step.pod.name, metadata["name"], placement.launch) and attempt.has(pod)


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _now() -> int:
    return to_micros(_utc())
