"""Sweeps up what nobody owns: Jobs, pods and NetworkPolicies outside of their runs' namespace, or on other clusters.

There is no hurry: what is nobody's can do no harm, since nothing of it is recorded. So it is looked for now and then, and
deleted only if ledger and store say so when they are asked about just this one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from sluice.adapters.kubernetes.launching.clusters import HOME, Cluster, ClusterKey, ClusterOf, key_of
from sluice.adapters.kubernetes.periodic import Periodic
from sluice.api import kinds
from sluice.api.environment import Environment, Launch
from sluice.domain.launching.names import ENVIRONMENT_LABEL, RUN_ANNOTATION, WORKSPACE_LABEL, segment_of
from sluice.domain.launching.network import policy_name
from sluice.domain.launching.orphans import RunFacts, is_worn_out, why_orphan
from sluice.domain.launching.placement import TTL_S, Placement, placement_of
from sluice.domain.launching.step_pods import KEPT_S, is_of_step
from sluice.ports.clock import Clock
from sluice.ports.errors import Conflict, Fenced, NotFound, PortError
from sluice.ports.launcher import LaunchRefused
from sluice.ports.ledger import Ledger
from sluice.ports.store import Obj, Ref, Store

EVERY_S: Final = 600.0
_AT_HOME: Final = Placement(Launch.JOB, "", "", "")

log = logging.getLogger(__name__)


class Sweep:
    """One thread, of the one who leads. ``placements`` are those of all environments, also of such as are refused now."""

    def __init__(
        self,
        cluster: str,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        *,
        cluster_of: ClusterOf,
        placements: Callable[[], Iterable[Placement]],
    ) -> None:
        """``cluster`` is what was launched from here is labelled with; ``store`` is the home cluster's."""
        self._cluster = cluster
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._cluster_of = cluster_of
        self._placements = placements
        self._left: dict[ClusterKey, Placement] = {}
        self._thread = Periodic("sweep", self._sweep_while_leading, EVERY_S, at_once=True)

    def start(self) -> None:
        """Sweep now, and then every ten minutes."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what is being asked is waited for. Safe to call twice."""
        self._thread.close()

    def environment_gone(self, placement: Placement) -> None:
        """Sweep now, where its pods were too: its NetworkPolicy is nobody's, and maybe nobody names that cluster any more."""
        self._left[key_of(placement)] = placement
        self._thread.wake()

    def _sweep_while_leading(self) -> None:
        try:
            self.sweep()
        except Fenced:
            log.info("not the leader any more: somebody else sweeps")

    def sweep(self) -> None:
        """Once through all clusters. One that can't be reached is for the next time."""
        placements = list(self._placements())
        ttls = {(place.workspace, place.environment): place.ttl_s for place in placements}
        named = {key_of(place): place for place in placements}
        left = self._left.copy()
        for key, placement in {HOME: _AT_HOME, **left, **named}.items():
            self._left.pop(key, None)  # before it is looked at: what is left meanwhile is for the next time
            try:
                cluster = self._cluster_of(placement)
                self._sweep_workloads(cluster, ttls)
                self._sweep_policies(cluster)
            except Fenced:
                raise
            except PortError as error:
                # If it was refused there is no way to it, and nobody to make one.
                if key in left and not isinstance(error, LaunchRefused):
                    self._left.setdefault(key, left[key])
                where = f"the cluster of Secret {key.secret} in namespace {key.workspace}" if key.secret else "here"
                log.warning("%s could not be swept: %s", where, error)

    # -- Jobs and pods ----------------------------------------------------------------------------------------------
    def _sweep_workloads(self, cluster: Cluster, ttls: dict[tuple[str, str], int]) -> None:
        for workload in cluster.workloads.left_to_sweep(self._cluster):
            if self._thread.is_closed:
                return
            why = self._why_orphan(workload) or self._why_worn_out(workload, ttls)
            if why:
                self._remove(cluster, workload, why)

    def _why_orphan(self, workload: Obj) -> str:
        segment = segment_of(workload["metadata"].get("labels") or {})
        if segment is None or workload["metadata"].get("ownerReferences"):
            return ""  # somebody changed its labels, and it is theirs now; or it goes with its run
        now = self._clock.now()
        if not why_orphan(workload, segment.epoch, None, now=now):
            return ""
        record = self._ledger.run(segment.run_uid)
        if record is not None:
            run = RunFacts(record.ended, self._ledger.epoch(segment.run_uid, segment.unit))
            return why_orphan(workload, segment.epoch, run, now=now)
        run_of = str((workload["metadata"].get("annotations") or {}).get(RUN_ANNOTATION, ""))
        namespace, _, name = run_of.partition("/")
        return "" if self._exists(namespace, name, segment.run_uid) else why_orphan(workload, 0, None, now=now)

    def _exists(self, namespace: str, name: str, uid: str) -> bool:
        """Whether a run's object is there, or may be."""
        if not (namespace and name):
            return True
        try:
            found = self._store.get(Ref(kinds.WORKFLOW_RUN, namespace, name))
        except NotFound:
            return False
        return bool(found["metadata"]["uid"] == uid)

    def _why_worn_out(self, workload: Obj, ttls: dict[tuple[str, str], int]) -> str:
        if workload["kind"] != "Pod":
            return ""
        labels = workload["metadata"].get("labels") or {}
        environment = (labels.get(WORKSPACE_LABEL, ""), labels.get(ENVIRONMENT_LABEL, ""))
        ttl_s, segment = ttls.get(environment, TTL_S), segment_of(labels)
        if segment is not None and is_of_step(segment.unit):
            ttl_s = max(ttl_s, KEPT_S)  # how it ended may not be recorded yet
        worn_out = is_worn_out(workload, ttl_s, now=self._clock.now())
        return "it ended long enough ago" if worn_out else ""

    # -- NetworkPolicies --------------------------------------------------------------------------------------------
    def _sweep_policies(self, cluster: Cluster) -> None:
        for policy in cluster.workloads.policies(self._cluster):
            if self._thread.is_closed:
                return
            if not self._is_wanted(cluster, policy) and not cluster.workloads.is_in_use(policy):
                self._remove(cluster, policy, "its environment is gone, or elsewhere")

    def _is_wanted(self, cluster: Cluster, policy: Obj) -> bool:
        """Whether its environment, as it is now, has just this policy."""
        metadata = policy["metadata"]
        labels = metadata.get("labels") or {}
        workspace, name = labels.get(WORKSPACE_LABEL, ""), labels.get(ENVIRONMENT_LABEL, "")
        if not (workspace and name):
            return True  # somebody changed its labels: it is theirs now
        try:
            environment = self._store.get(Ref(kinds.ENVIRONMENT, workspace, name))
        except NotFound:
            return False
        placement = placement_of(Environment.model_validate(environment), embedded=False)
        is_here = key_of(placement) == cluster.key and placement.namespace == metadata["namespace"]
        return is_here and policy_name(placement) == metadata["name"]

    def _remove(self, cluster: Cluster, found: Obj, why: str) -> None:
        metadata = found["metadata"]
        try:
            cluster.workloads.remove(found)
        except Conflict:
            return  # it moved: the next sweep looks at it anew
        log.info("%s %s/%s is deleted: %s", found["kind"], metadata["namespace"], metadata["name"], why)
