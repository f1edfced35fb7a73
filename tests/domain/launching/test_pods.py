"""The Job and the pod of a segment, field by field where a promise rests on the field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sluice.domain.launching.names import SegmentPod
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import Installation, job_of, pod_of
from tests.domain.launching.builders import CA, INSTALLATION, RUN, placement, segment

Manifest = dict[str, Any]
Maker = Callable[[SegmentPod, Placement, Installation], Manifest]
MAKERS = pytest.mark.parametrize("make", [job_of, pod_of])


def made(make: Maker = job_of, *, deadline_s: int = 0, **spec: Any) -> Manifest:
    return make(segment(deadline_s=deadline_s), placement(**spec), INSTALLATION)


def spec_of(manifest: Manifest) -> Manifest:
    """The pod's, also in a Job."""
    spec: Manifest = manifest["spec"]["template"]["spec"] if manifest["kind"] == "Job" else manifest["spec"]
    return spec


def template_metadata(manifest: Manifest) -> Manifest:
    metadata: Manifest = manifest["spec"]["template"]["metadata"] if manifest["kind"] == "Job" else manifest["metadata"]
    return metadata


def container_of(manifest: Manifest) -> Manifest:
    (container,) = spec_of(manifest)["containers"]
    assert isinstance(container, dict)
    return container


def size(manifest: Manifest) -> int:
    return len(json.dumps(manifest, separators=(",", ":")))


def test_a_job_makes_one_pod_once() -> None:
    job = made(runner={"ttlSecondsAfterFinished": 60})
    template = job["spec"].pop("template")
    assert template["spec"]["restartPolicy"] == "Never"
    assert job["spec"] == {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "podReplacementPolicy": "Failed",
        "ttlSecondsAfterFinished": 60,
    }


@MAKERS
def test_a_pod_is_restricted_to_the_letter(make: Maker) -> None:
    manifest = made(make)
    spec, container = spec_of(manifest), container_of(manifest)
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "initContainers"}


@MAKERS
def test_the_only_token_is_for_the_controller(make: Maker) -> None:
    manifest = made(make)
    token, scratch = spec_of(manifest)["volumes"]
    assert token["projected"]["sources"] == [
        {"serviceAccountToken": {"audience": "sluice", "expirationSeconds": 3600, "path": "token"}}
    ]
    assert scratch == {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}
    assert container_of(manifest)["volumeMounts"] == [
        {"name": "sluice-token", "mountPath": "/var/run/secrets/sluice.dev", "readOnly": True},
        {"name": "scratch", "mountPath": "/scratch"},
    ]


@MAKERS
def test_the_runner_is_told_all_that_it_needs_and_nothing_else(make: Maker) -> None:
    container = container_of(made(make))
    assert container["command"] == ["python", "-m", "sluice.runner.pod"]
    assert container["args"] == [
        "--url=https://sluice-controller.sluice-system.svc:8443",
        "--server-name=sluice-controller.sluice-system.svc",
        f"--run={RUN.uid}",
        "--unit=main",
        "--epoch=1",
        "--token-file=/var/run/secrets/sluice.dev/token",
        "--scratch=/scratch",
        f"--ca={CA}",
    ]
    assert "env" not in container, "the API server keeps account of each variable, with each write"


def test_no_argument_is_taken_for_a_reference_to_a_variable() -> None:
    strange = Installation("https://$(HOME):8443", "name", CA, "image", "controller")
    assert container_of(pod_of(segment(), placement(), strange))["args"][0] == "--url=https://$$(HOME):8443"


def test_a_runner_of_another_cluster_finds_the_controller_by_the_address_that_is_known_there() -> None:
    far = {"kubeconfigSecret": "far", "runnerUrl": "https://sluice.example.com:8443"}
    url, server_name, *_ = container_of(made(cluster=far))["args"]
    assert url == "--url=https://sluice.example.com:8443"
    assert server_name == "--server-name=sluice-controller.sluice-system.svc"


@MAKERS
@pytest.mark.parametrize(
    ("spec", "owned"),
    [
        ({}, True),
        ({"namespace": "prod"}, False),
        ({"cluster": {"kubeconfigSecret": "far"}}, False),
    ],
)
def test_a_run_owns_its_objects_where_it_is_at_home_and_only_there(
    make: Maker, spec: dict[str, Any], owned: bool
) -> None:
    metadata = made(make, **spec)["metadata"]
    assert metadata["namespace"] == spec.get("namespace", "support")
    reference = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "WorkflowRun",
        "name": RUN.name,
        "uid": RUN.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    assert metadata.get("ownerReferences") == ([reference] if owned else None)


@MAKERS
def test_an_object_and_its_pod_are_labelled(make: Maker) -> None:
    manifest = made(make, runner={"labels": {"team": "support"}, "annotations": {"example.com/cost": "support"}})
    for metadata in (manifest["metadata"], template_metadata(manifest)):
        assert metadata["labels"]["sluice.dev/run-uid"] == RUN.uid
        assert metadata["annotations"]["sluice.dev/run"] == f"support/{RUN.name}"
    assert template_metadata(manifest)["labels"]["team"] == "support"
    assert template_metadata(manifest)["annotations"]["example.com/cost"] == "support"


@MAKERS
def test_an_environment_changes_no_label_of_ours(make: Maker) -> None:
    theirs = {"sluice.dev/run-uid": "another", "app.kubernetes.io/name": "sluice-controller"}
    labels = template_metadata(made(make, runner={"labels": theirs, "annotations": {"sluice.dev/run": "a/b"}}))
    assert labels["labels"]["sluice.dev/run-uid"] == RUN.uid
    assert labels["labels"]["app.kubernetes.io/name"] == "sluice-runner"
    assert labels["annotations"]["sluice.dev/run"] == f"support/{RUN.name}"


@MAKERS
@pytest.mark.parametrize(("deadline_s", "active_s"), [(0, None), (1, 901), (3600, 4500)])
def test_a_pod_ends_some_time_after_its_run_should_have(make: Maker, deadline_s: int, active_s: int | None) -> None:
    manifest = made(make, deadline_s=deadline_s)
    assert spec_of(manifest).get("activeDeadlineSeconds") == active_s
    assert manifest["kind"] == "Pod" or "activeDeadlineSeconds" not in manifest["spec"]


@pytest.mark.parametrize(
    ("runner", "image", "policy"),
    [
        ({}, "ghcr.io/sluice-dev/sluice:0.1.0", None),
        ({"image": "example.com/mine:1"}, "example.com/mine:1", None),
        ({"imagePullPolicy": "Never"}, "ghcr.io/sluice-dev/sluice:0.1.0", "Never"),
    ],
)
def test_the_image_is_the_environments_or_the_controllers(
    runner: dict[str, str], image: str, policy: str | None
) -> None:
    container = container_of(made(runner=runner))
    assert (container["image"], container.get("imagePullPolicy")) == (image, policy)


def test_the_environments_template_is_in_the_pod() -> None:
    runner: Manifest = {
        "imagePullSecrets": ["pull"],
        "resources": {"limits": {"memory": "2Gi"}},
        "scratchSize": "5Gi",
        "nodeSelector": {"pool": "runs"},
        "tolerations": [{"key": "runs", "operator": "Exists"}],
        "serviceAccountName": "deployer",
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    manifest = made(runner=runner)
    spec, container = spec_of(manifest), container_of(manifest)
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert spec["nodeSelector"] == {"pool": "runs"}
    assert spec["tolerations"] == [{"key": "runs", "operator": "Exists"}]
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("deployer", False)
    assert spec["volumes"][1:] == [{"name": "scratch", "emptyDir": {"sizeLimit": "5Gi"}}, runner["volumes"][0]]
    assert container["volumeMounts"][2:] == runner["volumeMounts"]
    assert container["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "2Gi"}}
    assert (spec["securityContext"]["fsGroup"], spec["securityContext"]["fsGroupChangePolicy"]) == (
        65532,
        "OnRootMismatch",
    )


@MAKERS
def test_the_same_segment_is_the_same_bytes(make: Maker) -> None:
    assert json.dumps(made(make)) == json.dumps(made(make))


def test_objects_are_small() -> None:
    """Every byte is written to etcd and sent to all that watch; an authority's certificate is 580 of them."""
    assert size(made(pod_of)) <= 2_700
    assert size(made(job_of)) <= 3_300
