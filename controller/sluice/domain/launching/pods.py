"""The Job, or the pod, that a segment runs in.

Each byte of it is written to etcd and sent to every watcher, so there is nothing in it that the API server would fill in
the same way, but for what our promises rest on. All of it passes the ``restricted`` level of Pod Security.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sluice.api.kinds import API_VERSION, WORKFLOW_RUN
from sluice.domain.launching.names import LAUNCHED_FROM_LABEL, SegmentPod, annotations_of, labels_of
from sluice.domain.launching.placement import DEFAULT_SERVICE_ACCOUNT, Placement, Runner

CONTROLLER_NAMESPACE: Final = "sluice-system"
CONTROLLER_PORT: Final = 8443
CONTAINER: Final = "runner"
COMMAND: Final = ("python", "-m", "sluice.runner.pod")
USER: Final = 65532
GRACE_S: Final = 30
"""How long a runner that is asked to end may still report."""
DEADLINE_SLACK_S: Final = 900
"""What a pod gets beyond its run's time: ``finally`` (ten minutes), pulling the image, reporting. The runner keeps the time
itself; this is for one that can't any more."""
AUDIENCE: Final = "sluice"
TOKEN_LIFE_S: Final = 3600
TOKEN_VOLUME, TOKEN_FOLDER = "sluice-token", "/var/run/secrets/sluice.dev"
TOKEN_FILE: Final = "token"
SCRATCH_VOLUME, SCRATCH = "scratch", "/scratch"

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Installation:
    """The controller as its runners find it: ``url`` (https://host:port), the name in its certificate, its CA as PEM.

    ``image`` and ``pull_policy`` are for environments that name none; an empty policy is left to the cluster.
    ``controller_id`` tells two installations on one cluster apart; it is a label's value. ``namespace`` is where its pods
    run, ``port`` where they listen for runners. ``cluster`` is the uid of its cluster's namespace kube-system.
    """

    url: str
    server_name: str
    ca_pem: str
    image: str
    controller_id: str
    pull_policy: str = ""
    namespace: str = CONTROLLER_NAMESPACE
    port: int = CONTROLLER_PORT
    cluster: str = ""


def job_of(segment: SegmentPod, placement: Placement, installation: Installation) -> Manifest:
    """The Job of a segment: one pod, once. Whether there is another try is the controller's to say, with another epoch."""
    return job_around(_pod_spec(segment, placement, installation), segment, placement, installation)


def pod_of(segment: SegmentPod, placement: Placement, installation: Installation) -> Manifest:
    """The pod of a segment that has no Job."""
    return pod_around(_pod_spec(segment, placement, installation), segment, placement, installation)


def job_around(spec: Manifest, segment: SegmentPod, placement: Placement, installation: Installation) -> Manifest:
    """A Job that makes one pod of this spec, once."""
    labels = labels_of(segment, installation.controller_id)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(segment, placement, labels if placement.is_at_home else _findable(labels, installation)),
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",  # never a second pod while the first may still run
            "ttlSecondsAfterFinished": placement.ttl_s,
            "template": {
                "metadata": _pod_metadata(segment, placement.runner, labels),
                "spec": spec,
            },
        },
    }


def pod_around(spec: Manifest, segment: SegmentPod, placement: Placement, installation: Installation) -> Manifest:
    """A pod of this spec, without a Job."""
    labels = _findable(labels_of(segment, installation.controller_id), installation)
    metadata = _metadata(segment, placement, labels) | _pod_metadata(segment, placement.runner, labels)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _findable(labels: dict[str, str], installation: Installation) -> dict[str, str]:
    """What does not go by itself, with its owner or as an ended Job does, is found by whom it is from."""
    return {**labels, LAUNCHED_FROM_LABEL: installation.cluster}


def _metadata(segment: SegmentPod, placement: Placement, labels: dict[str, str]) -> Manifest:
    metadata: Manifest = {
        "name": segment.name,
        "namespace": placement.namespace,
        "labels": labels,
        "annotations": annotations_of(segment),
    }
    if placement.is_at_home:
        metadata["ownerReferences"] = [
            {
                "apiVersion": API_VERSION,
                "kind": WORKFLOW_RUN.kind,
                "name": segment.run.name,
                "uid": segment.run.uid,
                "controller": True,
                "blockOwnerDeletion": False,  # else the controller would need rights on finalizers of runs
            }
        ]
    return metadata


def _pod_metadata(segment: SegmentPod, runner: Runner, labels: dict[str, str]) -> Manifest:
    """Ours win over what the environment adds."""
    return {
        "labels": {**runner.labels, **labels},
        "annotations": {**runner.annotations, **annotations_of(segment)},
    }


def _pod_spec(segment: SegmentPod, placement: Placement, installation: Installation) -> Manifest:
    spec = spec_around(_container(segment, placement, installation), placement.runner)
    spec["volumes"] = [_token_volume(), *spec["volumes"]]
    if segment.deadline_s:
        spec["activeDeadlineSeconds"] = segment.deadline_s + DEADLINE_SLACK_S
    return spec


def spec_around(container: Manifest, runner: Runner) -> Manifest:
    """A pod of one container, with scratch room and all that the environment adds; there is no token in it."""
    security: Manifest = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if runner.volumes:
        security |= {"fsGroup": USER, "fsGroupChangePolicy": "OnRootMismatch"}
    spec: Manifest = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_S,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": security,
        "containers": [container],
        "volumes": [_scratch_volume(runner), *runner.volumes],
    }
    if runner.service_account != DEFAULT_SERVICE_ACCOUNT:
        spec["serviceAccountName"] = runner.service_account
    if runner.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in runner.pull_secrets]
    if runner.node_selector:
        spec["nodeSelector"] = dict(runner.node_selector)
    if runner.tolerations:
        spec["tolerations"] = list(runner.tolerations)
    return spec


def _container(segment: SegmentPod, placement: Placement, installation: Installation) -> Manifest:
    runner = placement.runner
    policy = runner.pull_policy or installation.pull_policy
    return {
        "name": CONTAINER,
        "image": runner.image or installation.image,
        **({"imagePullPolicy": policy} if policy else {}),
        "command": list(COMMAND),
        "args": _arguments(segment, placement, installation),
        "resources": resources_of(runner),
        "securityContext": confined(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": TOKEN_VOLUME, "mountPath": TOKEN_FOLDER, "readOnly": True},
            {"name": SCRATCH_VOLUME, "mountPath": SCRATCH},
            *runner.mounts,
        ],
    }


def resources_of(runner: Runner) -> Manifest:
    """What a container of the environment asks for and may use."""
    return {"requests": dict(runner.requests), "limits": dict(runner.limits)}


def confined() -> Manifest:
    """The security context of a container: no way to more rights, and nothing of the image to write to."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _arguments(segment: SegmentPod, placement: Placement, installation: Installation) -> list[str]:
    remote = placement.cluster
    values = {
        "url": (remote.runner_url if remote else "") or installation.url,
        "server-name": installation.server_name,
        "run": segment.run.uid,
        "unit": segment.unit,
        "epoch": str(segment.epoch),
        "token-file": f"{TOKEN_FOLDER}/{TOKEN_FILE}",
        "scratch": SCRATCH,
        "ca": installation.ca_pem,
    }
    return [f"--{name}={literal(value)}" for name, value in values.items()]


def literal(value: str) -> str:
    """As it stands: ``$(NAME)`` in a value would be the value of another variable."""
    return value.replace("$", "$$")


def _token_volume() -> Manifest:
    """The only token in the pod: good for the controller, bound to the pod, new every hour."""
    token = {"audience": AUDIENCE, "expirationSeconds": TOKEN_LIFE_S, "path": TOKEN_FILE}
    return {"name": TOKEN_VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}


def _scratch_volume(runner: Runner) -> Manifest:
    return {"name": SCRATCH_VOLUME, "emptyDir": {"sizeLimit": runner.scratch_size}}
