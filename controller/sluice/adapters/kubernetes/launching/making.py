"""Makes the Job or pod of a segment or a step on a cluster, or says why the cluster does not take it."""

from __future__ import annotations

from sluice.adapters.kubernetes.launching.clusters import Cluster
from sluice.api.reasons import Reason
from sluice.domain.launching.names import SegmentPod, segment_of
from sluice.domain.launching.placement import DEFAULT_SERVICE_ACCOUNT, Placement
from sluice.domain.launching.pods import Manifest
from sluice.domain.launching.refusals import job_refusal
from sluice.domain.launching.security import may_launch
from sluice.ports.errors import AlreadyExists, Forbidden, Invalid
from sluice.ports.launcher import LaunchRefused
from sluice.ports.store import Obj


def make(cluster: Cluster, pod: SegmentPod, placement: Placement, manifest: Manifest) -> str:
    """Make it; answers with its uid. One that an attempt before this one made, and did not hear of, is as good.

    LaunchRefused when the cluster does not take it, Unavailable when it may be tried again.
    """
    try:
        return str(cluster.workloads.create(manifest)["metadata"]["uid"])
    except AlreadyExists:
        found = cluster.workloads.find(placement.launch, placement.namespace, pod.name)
        if found is not None and not is_of(found, pod):
            raise somebody_elses(pod, placement) from None
        return str(found["metadata"]["uid"]) if found else ""
    except (Forbidden, Invalid) as error:
        refusal = job_refusal(str(error))
        raise LaunchRefused(refusal.reason, refusal.message) from error


def require_leave(cluster: Cluster, placement: Placement, controller_namespace: str) -> None:
    """LaunchRefused where the namespace does not say for whom it takes pods: asked anew at every launch."""
    found = cluster.workloads.namespace(placement.namespace)
    problem = may_launch(found, placement, controller_namespace=controller_namespace)
    if problem:
        raise LaunchRefused(Reason.NAMESPACE_FORBIDS, problem)


def needs_leave(placement: Placement) -> bool:
    """Whether anybody but the environment's own workspace has a say."""
    return not placement.is_at_home or placement.runner.service_account != DEFAULT_SERVICE_ACCOUNT


def is_of(found: Obj, pod: SegmentPod) -> bool:
    """Whether a Job or pod of the right name is this one's."""
    key = segment_of(found["metadata"].get("labels") or {})
    return key is not None and (key.run_uid, key.unit, key.epoch) == (pod.run.uid, pod.unit, pod.epoch)


def somebody_elses(pod: SegmentPod, placement: Placement) -> LaunchRefused:
    """The name is taken by what is none of ours."""
    message = f"{placement.launch} {pod.name} in namespace {placement.namespace} is somebody else's: delete it"
    return LaunchRefused(Reason.LAUNCH_REFUSED, message)
