"""A control plane of one's own: its parts end and come back, and each program acts in its own name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.build import program, programs
from tests.cluster.control_plane import Options, Plane, running
from tests.cluster.families import CONTROL_PLANE
from tests.cluster.installation import Cluster
from tests.cluster.kubeconfigs import write_account_kubeconfig
from tests.contracts.store.builders import eventually

pytestmark = pytest.mark.cluster

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: waiting}
spec: {serviceAccountName: default, containers: [{name: main, image: nothing}]}
"""
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: empty}
status: {allocatable: {cpu: "1", memory: 1Gi, pods: "10"}, conditions: [{type: Ready, status: "True"}]}
"""
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    programs(*CONTROL_PLANE, "kube-scheduler")
    with running(tmp_path_factory.mktemp("plane"), Options(scheduler=True)) as plane:
        yield plane


@pytest.fixture
def cluster(plane: Plane) -> Cluster:
    return Cluster(program("kubectl"), plane.kubeconfig)


def test_every_part_comes_back_after_a_crash_with_what_it_knew(plane: Plane, cluster: Cluster) -> None:
    cluster("create", "configmap", "kept")
    for part in (plane.etcd, plane.apiserver, plane.controller_manager, plane.scheduler):
        assert part
        part.kill()
        assert not part.is_running
        part.start()
    eventually(lambda: not cluster.run("get", "configmap", "kept").returncode, "what was written is there")


def test_an_api_server_that_hangs_goes_on_where_it_was(plane: Plane, cluster: Cluster) -> None:
    plane.apiserver.pause()
    assert cluster.run("get", "namespaces", "--request-timeout=1s").returncode
    plane.apiserver.resume()
    assert cluster("get", "namespaces")


def test_a_pod_is_given_a_node_as_soon_as_there_is_one(cluster: Cluster) -> None:
    eventually(lambda: not cluster.run("get", "serviceaccount", "default").returncode, "pods can be made")
    cluster("create", "-f", "-", stdin=POD)
    cluster("create", "-f", "-", stdin=NODE)
    cluster("wait", "--for=condition=PodScheduled", "--timeout=30s", "pod/waiting")


def test_a_program_can_act_as_a_service_account_with_its_rights_alone(
    plane: Plane, cluster: Cluster, tmp_path: Path
) -> None:
    cluster("create", "serviceaccount", "reader")
    cluster("create", "role", "reader", "--verb=get,list", "--resource=pods")
    cluster("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:reader")
    write_account_kubeconfig(tmp_path / "kubeconfig", cluster, "default", "reader")
    reader = Cluster(cluster.kubectl, tmp_path / "kubeconfig")
    assert "system:serviceaccount:default:reader" in reader("auth", "whoami")
    assert not reader.run("get", "pods").returncode
    assert "forbidden" in reader.run("get", "secrets").stderr


def test_a_token_for_another_audience_is_known_to_that_audience_only(cluster: Cluster) -> None:
    token = cluster("create", "token", "default", "--audience=sluice").strip()
    for audience, accepted in (("sluice", True), ("elsewhere", None)):
        asked = json.dumps({**REVIEW, "spec": {"token": token, "audiences": [audience]}})
        said = json.loads(cluster("create", "-o", "json", "-f", "-", stdin=asked))["status"]
        assert said.get("authenticated") is accepted
