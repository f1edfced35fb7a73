"""What an environment may not ask for, and what a namespace must say before anything runs in it."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.launching.security import may_launch, problems
from tests.domain.launching.builders import placement

Obj = dict[str, Any]
FAR = {"kubeconfigSecret": "far", "runnerUrl": "https://sluice.example.com:8443"}


def found(**spec: Any) -> list[str]:
    return [str(finding) for finding in problems(placement(**spec))]


def of_runner(**runner: Any) -> list[str]:
    return found(runner=runner)


def test_an_environment_that_says_nothing_has_no_problem() -> None:
    assert found() == []


def test_a_template_that_uses_everything_that_is_allowed_has_no_problem() -> None:
    token = {"serviceAccountToken": {"audience": "sts.example.com", "path": "token"}}
    runner = {
        "image": "example.com:5000/team/runner:1@sha256:" + "0" * 64,
        "imagePullSecrets": ["pull.example.com"],
        "resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"}},
        "nodeSelector": {"kubernetes.io/os": "linux", "pool": ""},
        "tolerations": [
            {"operator": "Exists"},
            {"key": "runs", "value": "1", "effect": "NoSchedule"},
            {"key": "example.com/runs", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
        ],
        "serviceAccountName": "deployer",
        "labels": {"team": "support", "app.kubernetes.io/part-of": "desk", "sidecar.istio.io/inject": "false"},
        "annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            "example.com/note": "any text at all",
        },
        "volumes": [
            {"name": "a", "configMap": {"name": "a"}},
            {"name": "b", "secret": {"secretName": "b"}},
            {"name": "c", "emptyDir": {}},
            {"name": "d", "persistentVolumeClaim": {"claimName": "d"}},
            {"name": "e", "projected": {"sources": [{"secret": {"name": "e"}}, token]}},
            {"name": "f", "downwardAPI": {"items": []}},
            {"name": "g", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        ],
        "volumeMounts": [
            {"name": "a", "mountPath": "/etc/ssl/certs/ours.pem", "subPath": "ours.pem", "readOnly": True},
            {"name": "c", "mountPath": "/scratch2"},
            {"name": "c", "mountPath": "/var/run/app/"},
            {"name": "e", "mountPath": "/var/run/secrets/example.com"},
        ],
    }
    assert found(runner=runner, cluster=FAR, egress=[{"cidr": "10.20.0.0/16"}, {"cidr": "fd00::/8"}]) == []


def test_local_processes_have_no_pod_to_be_wrong_about() -> None:
    runner = {"volumes": [{"name": "disk", "hostPath": {"path": "/"}}]}
    assert found(launch="Process", runner=runner) == []


@pytest.mark.parametrize(
    ("runner", "told"),
    [
        ({"image": "sluice 1"}, "spec.runner.image: 'sluice 1' has a space in it; write the image's name alone"),
        (
            {"imagePullSecrets": ["ok", "No_Name"]},
            "spec.runner.imagePullSecrets[1]: No_Name is no object's name; use lower-case letters, digits, - and .",
        ),
        (
            {"serviceAccountName": "system:admin"},
            "spec.runner.serviceAccountName: system:admin is no object's name; use lower-case letters, digits, - and .",
        ),
        (
            {"resources": {"limits": {"memory": "2 GB"}}},
            "spec.runner.resources.limits.memory: '2 GB' is no quantity; write one such as 250m or 512Mi",
        ),
        (
            {"resources": {"requests": {"cpu": "-1"}}},
            "spec.runner.resources.requests.cpu: -1 is less than nothing; write a positive quantity",
        ),
        (
            {"resources": {"requests": {"memory": "4Gi"}, "limits": {"memory": "1Gi"}}},
            "spec.runner.resources.requests.memory: 4Gi is more than the limit 1Gi; raise the limit, or request less",
        ),
        (
            {"nodeSelector": {"pool": "for runs"}},
            "spec.runner.nodeSelector.pool: for runs is no label's value; use at most 63 letters, digits, -, _ or .",
        ),
        (
            {"nodeSelector": {"a b": "c"}},
            'spec.runner.nodeSelector["a b"]: this is no name of a label; '
            "write letters, digits, -, _ or ., with a domain and / before",
        ),
        (
            {"labels": {"a..b/c": "d"}},
            'spec.runner.labels["a..b/c"]: this is no name of a label; '
            "write letters, digits, -, _ or ., with a domain and / before",
        ),
        *(
            (
                {part: {key: "x"}},
                f'spec.runner.{part}["{key}"]: is set by Sluice or Kubernetes alone; use a domain of your own',
            )
            for part, key in (
                ("labels", "sluice.dev/run-uid"),
                ("labels", "app.kubernetes.io/name"),
                ("labels", "app.kubernetes.io/managed-by"),
                ("annotations", "container.apparmor.security.beta.kubernetes.io/runner"),
                ("annotations", "kubernetes.io/limit-ranger"),
                ("annotations", "x.k8s.io/y"),
            )
        ),
    ],
)
def test_a_template_that_is_wrong_is_told_where_and_what_to_do(runner: Obj, told: str) -> None:
    assert of_runner(**runner) == [told]


@pytest.mark.parametrize(
    ("toleration", "field", "words"),
    [
        ({"key": "a", "operator": "In"}, "operator", "In is not known; write one of Equal, Exists"),
        ({"key": "a", "effect": "NoRun"}, "effect", "write one of NoSchedule, PreferNoSchedule, NoExecute"),
        ({"value": "a"}, "key", "is required"),
        ({"key": "a b"}, "key", "is no name of a taint"),
        ({"key": "a", "operator": "Exists", "value": "b"}, "value", "leave it out"),
        ({"key": "a", "value": 1}, "value", "put numbers in quotes"),
        ({"key": "a", "efect": "NoExecute"}, "efect", "did you mean effect?"),
        ({"key": "a", "effect": "NoExecute", "tolerationSeconds": "60"}, "tolerationSeconds", "no whole number"),
        ({"key": "a", "tolerationSeconds": 60}, "tolerationSeconds", "with effect NoExecute only"),
    ],
)
def test_a_toleration_that_is_wrong_is_told(toleration: Obj, field: str, words: str) -> None:
    (told,) = of_runner(tolerations=[{"operator": "Exists"}, toleration])
    assert told.startswith(f"spec.runner.tolerations[1].{field}: ")
    assert words in told


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "is required: the controller's Service is not known on another cluster"),
        ("http://sluice.example.com", "is no address; write https://, a host and a port"),
        ("https://sluice.example.com/runner", "is no address"),
        ("https://user@sluice.example.com", "is no address"),
        ("https://sluice.example.com:port", "is no address"),
        ("https://", "is no address"),
        ("https://sluice example.com", "is no address"),
    ],
)
def test_another_cluster_needs_to_know_where_the_controller_is(url: str | None, words: str) -> None:
    (told,) = found(cluster={"kubeconfigSecret": "far", **({"runnerUrl": url} if url else {})})
    assert told.startswith("spec.cluster.runnerUrl: ")
    assert words in told


@pytest.mark.parametrize(
    ("cidr", "words"),
    [
        ("0.0.0.0/0", "is every address"),
        ("::/0", "is every address"),
        ("10.0.0.1/8", "has host bits set"),
        ("db.example.com", "is no range of addresses"),
    ],
)
def test_a_range_that_is_none_or_all_is_refused(cidr: str, words: str) -> None:
    (told,) = found(egress=[{"cidr": "10.0.0.0/8"}, {"cidr": cidr}])
    assert told.startswith("spec.egress[1].cidr: ")
    assert words in told


def a_namespace(name: str = "support", *, deleted: bool = False, **annotations: str) -> Obj:
    known = {"runs_from": "sluice.dev/runs-from", "accounts": "sluice.dev/service-accounts"}
    metadata: Obj = {"name": name, "annotations": {known[key]: value for key, value in annotations.items()}}
    return {"metadata": metadata | ({"deletionTimestamp": "2026-03-01T08:00:00Z"} if deleted else {})}


PROD = {"namespace": "prod"}
AS_DEPLOYER = {"runner": {"serviceAccountName": "deployer"}}


@pytest.mark.parametrize(
    ("spec", "namespace"),
    [
        ({}, a_namespace()),
        ({}, {"metadata": {"name": "support"}}),
        (PROD, a_namespace("prod", runs_from="support")),
        (PROD, a_namespace("prod", runs_from="billing, support ,")),
        ({"cluster": FAR}, a_namespace(runs_from="support")),
        (AS_DEPLOYER, a_namespace(accounts="deployer")),
        ({**PROD, **AS_DEPLOYER}, a_namespace("prod", runs_from="support", accounts="reader,deployer")),
        ({"runner": {"serviceAccountName": "default"}}, a_namespace()),
    ],
)
def test_a_namespace_lets_in_its_own_runs_and_those_that_it_names(spec: Obj, namespace: Obj) -> None:
    assert may_launch(namespace, placement(**spec)) == ""


@pytest.mark.parametrize(
    ("spec", "namespace", "told"),
    [
        (PROD, None, "spec.namespace: there is no namespace prod; make it, or name another"),
        ({}, a_namespace(deleted=True), "spec.namespace: support is being deleted; name another"),
        (
            {"namespace": "sluice-system"},
            a_namespace("sluice-system", runs_from="support"),
            "spec.namespace: sluice-system is the controller's own, with its keys in it; name another",
        ),
        (
            PROD,
            a_namespace("prod"),
            "spec.namespace: prod lets in no runs of support; whoever owns prod can allow it: "
            "kubectl annotate --overwrite namespace prod sluice.dev/runs-from=support",
        ),
        (
            PROD,
            a_namespace("prod", runs_from="supporters,billing"),
            "spec.namespace: prod lets in no runs of support; whoever owns prod can allow it: "
            "kubectl annotate --overwrite namespace prod sluice.dev/runs-from=supporters,billing,support",
        ),
        (
            {"cluster": FAR},
            a_namespace(),
            "spec.namespace: support lets in no runs of support; whoever owns support can allow it: "
            "kubectl annotate --overwrite namespace support sluice.dev/runs-from=support",
        ),
        (
            AS_DEPLOYER,
            a_namespace(accounts="reader"),
            "spec.runner.serviceAccountName: support does not lend deployer to runs; whoever owns support can allow it: "
            "kubectl annotate --overwrite namespace support sluice.dev/service-accounts=reader,deployer",
        ),
    ],
)
def test_a_namespace_that_does_not_let_a_run_in_is_told_with_what_to_do(
    spec: Obj, namespace: Obj | None, told: str
) -> None:
    assert may_launch(namespace, placement(**spec)) == told


def test_the_controllers_own_namespace_is_told_by_whoever_knows_it() -> None:
    assert may_launch(a_namespace(), placement(), controller_namespace="support") != ""
    at_home_elsewhere = placement(namespace="sluice-system")
    allowed = a_namespace("sluice-system", runs_from="support")
    assert may_launch(allowed, at_home_elsewhere, controller_namespace="flows") == ""
