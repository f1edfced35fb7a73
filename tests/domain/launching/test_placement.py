"""What an environment's spec becomes for the launcher."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.environment import Launch
from sluice.domain.launching.placement import Egress, RemoteCluster, Runner
from tests.domain.launching.builders import placement

Resources = dict[str, dict[str, str]]


@pytest.mark.parametrize(
    ("declared", "embedded", "launch"),
    [
        ("Auto", True, Launch.PROCESS),
        ("Auto", False, Launch.JOB),
        ("Job", False, Launch.JOB),
        ("Pod", False, Launch.POD),
        ("Process", False, Launch.PROCESS),
        ("Job", True, Launch.JOB),
    ],
)
def test_auto_is_a_process_when_embedded_and_a_job_on_a_cluster(declared: str, embedded: bool, launch: Launch) -> None:
    assert placement(embedded=embedded, launch=declared).launch is launch


def test_an_environment_that_says_nothing_runs_at_home_with_the_defaults() -> None:
    made = placement()
    assert (made.workspace, made.namespace, made.environment) == ("support", "support", "production")
    assert made.runner == Runner(requests={"cpu": "100m", "memory": "128Mi"}, limits={"memory": "1024Mi"})
    assert (made.cluster, made.egress, made.ttl_s) == (None, (), 300)
    assert made.is_at_home


@pytest.mark.parametrize(
    ("spec", "crosses", "remote"),
    [
        ({}, False, False),
        ({"namespace": "support"}, False, False),
        ({"namespace": "prod"}, True, False),
        ({"cluster": {"kubeconfigSecret": "far"}}, False, True),
        ({"cluster": {"kubeconfigSecret": "far"}, "namespace": "prod"}, True, True),
    ],
)
def test_a_placement_tells_whether_it_leaves_its_namespace_or_cluster(
    spec: dict[str, Any], crosses: bool, remote: bool
) -> None:
    made = placement(**spec)
    assert (made.crosses_namespace, made.is_remote) == (crosses, remote)
    assert made.is_at_home is not (crosses or remote)


def test_every_field_of_the_template_is_taken_over() -> None:
    runner = {
        "image": "example.com/runner:1",
        "imagePullPolicy": "Always",
        "imagePullSecrets": ["pull"],
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi", "example.com/gpu": "1"}},
        "scratchSize": "5Gi",
        "nodeSelector": {"pool": "runs"},
        "tolerations": [{"key": "runs", "operator": "Exists"}],
        "serviceAccountName": "deployer",
        "labels": {"team": "support"},
        "annotations": {"example.com/cost": "support"},
        "volumes": [{"name": "data", "emptyDir": {}}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "ttlSecondsAfterFinished": 0,
    }
    cluster = {"kubeconfigSecret": "far", "context": "east", "runnerUrl": "https://sluice.example.com:8443"}
    made = placement(runner=runner, cluster=cluster, egress=[{"cidr": "10.0.0.0/8", "ports": [5432]}])
    assert made.runner == Runner(
        image="example.com/runner:1",
        pull_policy="Always",
        pull_secrets=("pull",),
        requests={"cpu": "1", "memory": "2Gi"},
        limits={"memory": "2Gi", "example.com/gpu": "1"},
        scratch_size="5Gi",
        node_selector={"pool": "runs"},
        tolerations=({"key": "runs", "operator": "Exists"},),
        service_account="deployer",
        labels={"team": "support"},
        annotations={"example.com/cost": "support"},
        volumes=({"name": "data", "emptyDir": {}},),
        mounts=({"name": "data", "mountPath": "/data"},),
    )
    assert made.cluster == RemoteCluster("far", "east", "https://sluice.example.com:8443")
    assert made.egress == (Egress("10.0.0.0/8", (5432,)),)
    assert made.ttl_s == 0


@pytest.mark.parametrize(
    ("given", "step_memory", "requests", "limits"),
    [
        ({}, "2Gi", {"cpu": "100m", "memory": "128Mi"}, {"memory": "2560Mi"}),
        ({}, "100Ki", {"cpu": "100m", "memory": "128Mi"}, {"memory": "513Mi"}),
        ({"requests": {"memory": "4Gi"}}, "512Mi", {"cpu": "100m", "memory": "4Gi"}, {"memory": "4Gi"}),
        ({"requests": {"memory": "4x"}}, "512Mi", {"cpu": "100m", "memory": "4x"}, {"memory": "1024Mi"}),
        ({"limits": {"memory": "64Mi"}}, "512Mi", {"cpu": "100m", "memory": "64Mi"}, {"memory": "64Mi"}),
        (
            {"limits": {"cpu": "50m"}},
            "512Mi",
            {"cpu": "50m", "memory": "128Mi"},
            {"cpu": "50m", "memory": "1024Mi"},
        ),
        ({"requests": {"cpu": "2"}}, "512Mi", {"cpu": "2", "memory": "128Mi"}, {"memory": "1024Mi"}),
    ],
)
def test_default_resources_leave_room_for_one_step_and_never_contradict_what_is_given(
    given: Resources, step_memory: str, requests: dict[str, str], limits: dict[str, str]
) -> None:
    made = placement(runner={"resources": given}, limits={"stepMemory": step_memory}).runner
    assert (dict(made.requests), dict(made.limits)) == (requests, limits)
