"""Installing on a real API server: in one go, again without a change, and held to what it promises of its pods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from sluice.manifests import Overlay, Settings, installed
from sluice.manifests.output import as_yaml, stream
from tests.cluster.installation import Cluster
from tests.contracts.store.builders import eventually
from tests.manifests.reading import Obj, pod

pytestmark = pytest.mark.cluster

MANIFESTS = Path(__file__).parents[2] / "manifests"
APPLY = ("apply", "--server-side")
ROOT_POD: Obj = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "root", "namespace": "sluice-system"},
    "spec": {"containers": [{"name": "root", "image": "nothing"}]},
}
MONITORS: Obj = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "podmonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": {"kind": "PodMonitor", "plural": "podmonitors"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
"""Of the Prometheus operator, without its schema."""


@pytest.fixture(scope="module")
def cluster(bare: Cluster) -> Cluster:
    """With Sluice on it, applied once, in one go."""
    bare(*APPLY, "-f", "-", stdin=stream(Settings()))
    return bare


def versions(cluster: Cluster) -> dict[str, str]:
    """The resource version of each object that is installed; statuses move by themselves."""
    read = json.loads(cluster("get", "-f", "-", "-o", "json", stdin=stream(Settings())))["items"]
    return {
        f"{obj['kind']}/{obj['metadata']['name']}": obj["metadata"].get(
            "generation", obj["metadata"]["resourceVersion"]
        )
        for obj in read
    }


def test_every_object_of_the_stream_is_there(cluster: Cluster) -> None:
    assert len(versions(cluster)) == len(installed(Settings()))


def test_the_default_environment_is_made_where_its_kind_is_known(cluster: Cluster) -> None:
    cluster(*APPLY, "-f", "-", stdin=stream(Settings(default_environment=True)))
    assert cluster("get", "environments.sluice.dev", "-o", "name") == "environment.sluice.dev/local\n"


def test_applying_the_folders_of_kustomize_or_the_stream_again_changes_nothing(cluster: Cluster) -> None:
    before = versions(cluster)
    cluster(*APPLY, "-k", MANIFESTS)
    cluster(*APPLY, "-f", "-", stdin=stream(Settings()))
    assert versions(cluster) == before


@pytest.mark.parametrize("overlay", Overlay)
def test_no_field_of_any_overlay_is_unknown_to_the_server(overlay: Overlay, cluster: Cluster) -> None:
    settings = Settings(overlay=overlay, webhook=True, default_environment=True)
    strictly = ("--dry-run=server", "--validate=strict", "--force-conflicts")
    applied = cluster(*APPLY, *strictly, "-f", "-", stdin=stream(settings))
    assert applied.count("serverside-applied (server dry run)") == len(installed(settings))


def test_the_monitor_is_taken_where_there_is_an_operator(cluster: Cluster) -> None:
    cluster("apply", "-f", "-", stdin=yaml.safe_dump(MONITORS))
    cluster("wait", "--for=condition=Established", "crd/podmonitors.monitoring.coreos.com", "--timeout=60s")
    monitor = installed(Settings(pod_monitor=True))[-1]
    assert monitor["kind"] == "PodMonitor"
    assert "serverside-applied" in cluster(*APPLY, "--dry-run=server", "-f", "-", stdin=as_yaml([monitor]))


@pytest.mark.parametrize("overlay", Overlay)
def test_the_controllers_pod_passes_where_restricted_is_enforced(overlay: Overlay, cluster: Cluster) -> None:
    template = pod(installed(Settings(overlay=overlay)))
    metadata = {"name": "probe", "namespace": "sluice-system", **template["metadata"]}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    refused = cluster.run("create", "--dry-run=server", "-f", "-", stdin=json.dumps(ROOT_POD))
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr
    assert "pod/probe created" in cluster("create", "--dry-run=server", "-f", "-", stdin=json.dumps(made))


def test_the_deployment_makes_its_pod_in_the_name_of_its_account(cluster: Cluster) -> None:
    chosen = ("get", "pods", "--namespace=sluice-system", "--selector=app.kubernetes.io/name=sluice-controller")
    eventually(lambda: bool(cluster(*chosen, "-o", "name")), "the Deployment's pod is made")
    (made,) = json.loads(cluster(*chosen, "-o", "json"))["items"]
    assert made["spec"]["serviceAccountName"] == "sluice-controller"


def test_on_a_new_cluster_the_default_environment_takes_a_second_time(fresh: Cluster) -> None:
    everything = stream(Settings(default_environment=True))
    first = fresh.run(*APPLY, "-f", "-", stdin=everything)
    assert 'no matches for kind "Environment"' in first.stderr
    assert first.stdout.count("serverside-applied") == len(installed(Settings()))
    fresh("wait", "--for=condition=Established", "crd/environments.sluice.dev", "--timeout=60s")
    assert "environment.sluice.dev/local serverside-applied" in fresh(*APPLY, "-f", "-", stdin=everything)
