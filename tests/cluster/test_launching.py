"""Jobs, pods and NetworkPolicies of segments, as a real API server takes them where Pod Security is restricted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sluice.api.reasons import Reason
from sluice.domain.launching.network import network_policy_of
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import job_of, pod_of
from sluice.domain.launching.refusals import Refusal, job_refusal
from sluice.domain.launching.security import problems
from tests.cluster.installation import Cluster
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import eventually
from tests.domain.launching.builders import INSTALLATION, RUN, placement, segment

pytestmark = pytest.mark.cluster

Obj = dict[str, Any]
RESTRICTED = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
EVERYTHING: Obj = {
    "runner": {
        "image": "example.com/team/runner:1",
        "imagePullPolicy": "Always",
        "imagePullSecrets": ["pull"],
        "resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "2Gi", "example.com/gpu": "1"}},
        "scratchSize": "5Gi",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "runs", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
        "serviceAccountName": "deployer",
        "labels": {"sidecar.istio.io/inject": "false"},
        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        "volumes": [
            {"name": "a", "configMap": {"name": "a"}},
            {"name": "b", "secret": {"secretName": "b"}},
            {"name": "c", "emptyDir": {"medium": "Memory"}},
            {"name": "d", "persistentVolumeClaim": {"claimName": "d"}},
            {"name": "e", "projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "token"}}]}},
            {"name": "f", "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        ],
        "volumeMounts": [
            {"name": "a", "mountPath": "/etc/ssl/certs/ours.pem", "subPath": "ours.pem", "readOnly": True},
            {"name": "e", "mountPath": "/var/run/secrets/example.com"},
        ],
        "ttlSecondsAfterFinished": 0,
    },
    "egress": [{"cidr": "10.20.0.0/16", "ports": [5432]}, {"cidr": "fd00::/8"}],
}
PLACEMENTS: dict[str, Obj] = {
    "plain": {},
    "with everything": EVERYTHING,
    "far away": {"cluster": {"kubeconfigSecret": "far", "runnerUrl": "https://10.1.2.3:8443"}},
}


class Restricted:
    """A namespace where Pod Security is restricted, and what its API server says to what is made there."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def placement(self, **spec: Any) -> Placement:
        return replace(placement(**spec), workspace=self.name, namespace=self.name)

    def says_to(self, manifest: Obj, *, dry: bool = True) -> str:
        """All that kubectl prints, warnings too."""
        how = ["--dry-run=server"] if dry else []
        done = self.cluster.run("create", *how, "-f", "-", stdin=json.dumps(manifest))
        return done.stdout + done.stderr

    def refuses(self, manifest: Obj) -> Refusal:
        """What becomes of the API server's own message."""
        said = self.says_to(manifest)
        assert said.startswith("Error from server (Forbidden): "), said
        return job_refusal(said.partition('error when creating "STDIN": ')[2])


@pytest.fixture
def restricted(control_plane: ControlPlane) -> Iterator[Restricted]:
    cluster = Cluster(control_plane.kubectl, control_plane.kubeconfig)
    name = f"launching-{uuid.uuid4().hex[:8]}"
    cluster("create", "namespace", name)
    cluster("label", "namespace", name, *RESTRICTED)
    cluster("create", "serviceaccount", "deployer", f"--namespace={name}")
    eventually(
        lambda: not cluster.run("get", "serviceaccount", "default", f"--namespace={name}").returncode,
        "the namespace has its account",
    )
    yield Restricted(cluster, name)
    cluster("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("case", PLACEMENTS)
def test_what_is_made_of_an_environment_is_accepted_without_a_warning(restricted: Restricted, case: str) -> None:
    made = restricted.placement(**PLACEMENTS[case])
    here = segment(replace(RUN, namespace=restricted.name), deadline_s=3600)
    assert problems(made) == ()
    assert restricted.says_to(job_of(here, made, INSTALLATION)) == (f"job.batch/{here.name} created (server dry run)\n")
    assert restricted.says_to(pod_of(here, made, INSTALLATION)) == f"pod/{here.name} created (server dry run)\n"
    policy = network_policy_of(made, INSTALLATION)
    assert restricted.says_to(policy) == (
        f"networkpolicy.networking.k8s.io/{policy['metadata']['name']} created (server dry run)\n"
    )


def test_two_environments_policies_are_accepted_side_by_side_in_a_namespace_of_neither(restricted: Restricted) -> None:
    guest = replace(restricted.placement(), workspace="support")
    assert "created" in restricted.says_to(network_policy_of(guest, INSTALLATION))


@pytest.mark.parametrize(
    "volume", [{"name": "disk", "hostPath": {"path": "/"}}, {"name": "n", "nfs": {"server": "x", "path": "/"}}]
)
def test_what_we_refuse_the_api_server_refuses_too_and_says_so(restricted: Restricted, volume: Obj) -> None:
    wrong = restricted.placement(runner={"volumes": [volume]})
    assert [finding.field for finding in problems(wrong)] == [f"spec.runner.volumes[0].{[*volume][1]}"]
    refusal = restricted.refuses(pod_of(segment(), wrong, INSTALLATION))
    assert refusal.reason is Reason.POD_REFUSED
    assert 'violates PodSecurity "restricted:latest": ' in refusal.message


def test_a_service_account_that_is_not_there_is_told(restricted: Restricted) -> None:
    as_nobody = restricted.placement(runner={"serviceAccountName": "nobody"})
    refusal = restricted.refuses(pod_of(segment(), as_nobody, INSTALLATION))
    assert refusal.reason is Reason.POD_REFUSED
    assert refusal.message.endswith("make the service account, or correct serviceAccountName")


def test_a_job_that_gets_no_pod_says_which_quota_is_in_its_way(restricted: Restricted) -> None:
    in_here = f"--namespace={restricted.name}"
    restricted.cluster("create", "quota", "compute", "--hard=limits.memory=1Mi", in_here)
    eventually(
        lambda: "1Mi" in restricted.cluster("get", "quota", "compute", "-o", "jsonpath={.status.hard}", in_here),
        "the quota is in force",
    )
    job = job_of(segment(replace(RUN, namespace=restricted.name)), restricted.placement(), INSTALLATION)
    del job["metadata"]["ownerReferences"]  # there is no such run, so the garbage collector would come for the Job
    assert "created" in restricted.says_to(job, dry=False)
    look = ("get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[0].message}", in_here)
    eventually(lambda: "exceeded quota" in restricted.cluster.run(*look).stdout, "the Job controller was refused")
    refusal = job_refusal(restricted.cluster(*look))
    assert refusal == Refusal(
        Reason.QUOTA_EXCEEDED,
        "exceeded quota: compute, requested: limits.memory=1Gi, used: limits.memory=0, limited: limits.memory=1Mi; "
        "wait, raise the quota, or lower spec.runner.resources",
    )
