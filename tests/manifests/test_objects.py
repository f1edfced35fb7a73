"""What is installed, as values: complete, without contradictions, and without a right too many."""

from __future__ import annotations

import json

import pytest

from sluice import __version__
from sluice.api.kinds import SLUICE_KINDS
from sluice.crds.policies import CONTROLLER_USER, policy_manifests
from sluice.manifests import Overlay, Settings, installed
from sluice.manifests.controller import FILE_LEDGER
from tests.manifests.reading import Obj, by_identity, container, environment, identity, only, pod

ALL = Settings(webhook=True, pod_monitor=True, default_environment=True)
OVERLAYS = tuple(Overlay)


def of(kind: str, objects: list[Obj]) -> list[Obj]:
    return [obj for obj in objects if obj["kind"] == kind]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_has_a_name_of_its_own_and_says_what_it_is(overlay: Overlay) -> None:
    objects = installed(Settings(overlay=overlay, webhook=True, pod_monitor=True, default_environment=True))
    assert len(by_identity(objects)) == len(objects)
    assert all(obj["apiVersion"] and obj["kind"] and obj["metadata"]["name"] for obj in objects)


def test_all_but_what_people_are_to_change_is_labelled_as_a_part_of_sluice() -> None:
    unlabelled = [identity(obj) for obj in installed(ALL) if "labels" not in obj["metadata"]]
    assert unlabelled == [("Environment", "default", "local")]
    labels = [obj["metadata"]["labels"] for obj in installed(ALL) if "labels" in obj["metadata"]]
    assert {one["app.kubernetes.io/part-of"] for one in labels} == {"sluice"}


def test_namespace_and_definitions_come_before_what_needs_them_and_the_environment_last() -> None:
    kinds = [obj["kind"] for obj in installed(ALL)]
    assert kinds[0] == "Namespace"
    assert kinds[1 : 1 + len(SLUICE_KINDS)] == ["CustomResourceDefinition"] * len(SLUICE_KINDS)
    assert kinds[-1] == "Environment"


def test_webhook_monitor_and_environment_come_only_when_they_are_asked_for() -> None:
    more = {identity(obj) for obj in installed(ALL)} - {identity(obj) for obj in installed(Settings())}
    assert {kind for kind, _, _ in more} == {"ValidatingWebhookConfiguration", "PodMonitor", "Environment"}


def test_the_admission_policies_are_those_that_the_embedded_server_holds_to() -> None:
    assert [obj for obj in installed(Settings()) if "Admission" in obj["kind"]] == policy_manifests()
    assert Settings().user == CONTROLLER_USER


def test_in_another_namespace_nothing_is_left_of_the_default_one() -> None:
    chosen = Settings(namespace="tools", webhook=True, pod_monitor=True, default_environment=True)
    moved = json.dumps(installed(chosen))
    assert "sluice-system" not in moved
    assert "system:serviceaccount:tools:sluice-controller" in moved
    assert moved.replace("tools", "sluice-system") == json.dumps(installed(ALL)).replace("tools", "sluice-system")


def test_the_image_is_the_one_of_this_release_and_that_of_runners() -> None:
    assert container(installed(Settings()))["image"] == f"ghcr.io/sluice-dev/sluice:{__version__}"
    objects = installed(Settings(image="registry.example.com/sluice@sha256:abc"))
    assert container(objects)["image"] == "registry.example.com/sluice@sha256:abc"
    assert environment(objects)["SLUICE_RUNNER_IMAGE"] == "registry.example.com/sluice@sha256:abc"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_controller_learns_who_and_where_it_is_from_its_pod(overlay: Overlay) -> None:
    told = environment(installed(Settings(overlay=overlay)))
    paths = {"POD_NAMESPACE": "metadata.namespace", "POD_NAME": "metadata.name", "POD_IP": "status.podIP"}
    assert {name: told[name] for name in paths} == {
        name: {"fieldRef": {"fieldPath": path}} for name, path in paths.items()
    }
    assert told["SLUICE_RUNNER_URL"] == "https://sluice-controller.sluice-system.svc:8443"


def test_by_default_one_controller_writes_its_ledger_to_a_volume_and_ends_before_the_next_starts() -> None:
    objects = installed(Settings())
    spec = only("Deployment", objects)["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert environment(objects)["SLUICE_LEDGER"] == FILE_LEDGER == "sqlite:////var/lib/sluice/ledger.db"
    claim = only("PersistentVolumeClaim", objects)
    volumes = {volume["name"]: volume for volume in pod(objects)["spec"]["volumes"]}
    assert volumes["ledger"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert {"name": "ledger", "mountPath": "/var/lib/sluice"} in container(objects)["volumeMounts"]


@pytest.mark.parametrize(("overlay", "replicas"), [(Overlay.POSTGRES, 1), (Overlay.HA, 2)])
def test_on_postgresql_a_secret_names_the_ledger_and_controllers_overlap(overlay: Overlay, replicas: int) -> None:
    objects = installed(Settings(overlay=overlay))
    spec = only("Deployment", objects)["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (replicas, "RollingUpdate")
    assert environment(objects)["SLUICE_LEDGER"] == {"secretKeyRef": {"name": "sluice-ledger", "key": "url"}}
    assert of("PersistentVolumeClaim", objects) == []
    spread = pod(objects)["spec"]["topologySpreadConstraints"]
    assert {one["whenUnsatisfiable"] for one in spread} == {"ScheduleAnyway"}


def test_only_where_there_are_two_controllers_a_budget_holds_up_drains() -> None:
    assert [len(of("PodDisruptionBudget", installed(Settings(overlay=one)))) for one in OVERLAYS] == [0, 0, 1]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_selects_the_controllers_pods_selects_them(overlay: Overlay) -> None:
    objects = installed(Settings(overlay=overlay, pod_monitor=True))
    labels = pod(objects)["metadata"]["labels"].items()
    selectors = [only("Service", objects)["spec"]["selector"], only("Deployment", objects)["spec"]["selector"]]
    selectors += [obj["spec"]["selector"] for obj in objects if obj["kind"] in {"PodMonitor", "PodDisruptionBudget"}]
    selectors.append(only("NetworkPolicy", objects)["spec"]["podSelector"])
    assert all(selector.get("matchLabels", selector).items() <= labels for selector in selectors)


def test_every_port_that_something_names_is_one_of_the_container() -> None:
    objects = installed(ALL)
    there = {port["name"]: port["containerPort"] for port in container(objects)["ports"]}
    assert there == {"https": 8443, "metrics": 8080}
    service = {port["name"]: port for port in only("Service", objects)["spec"]["ports"]}
    assert {name: (port["port"], port["targetPort"]) for name, port in service.items()} == {
        name: (number, name) for name, number in there.items()
    }
    named = {container(objects)[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")}
    named |= {port["port"] for port in only("NetworkPolicy", objects)["spec"]["ingress"][0]["ports"]}
    named |= {one["port"] for one in only("PodMonitor", objects)["spec"]["podMetricsEndpoints"]}
    assert named == set(there)
    (webhook,) = only("ValidatingWebhookConfiguration", objects)["webhooks"]
    assert webhook["clientConfig"]["service"]["port"] == there["https"]


def test_the_webhook_is_asked_about_what_people_write_and_holds_up_nobody() -> None:
    (webhook,) = only("ValidatingWebhookConfiguration", installed(ALL))["webhooks"]
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"], webhook["sideEffects"]) == ("Ignore", 5, "None")
    (rule,) = webhook["rules"]
    assert rule["resources"] == ["workflows", "rollouts", "environments", "environmentstates"]
    assert rule["operations"] == ["CREATE", "UPDATE"]
    assert webhook["clientConfig"]["service"]["path"] == "/validate"
    assert "caBundle" not in webhook["clientConfig"]


def test_no_container_is_without_bounds_and_its_disk_is_read_only() -> None:
    objects = installed(Settings())
    assert container(objects)["resources"] == {
        "requests": {"cpu": "100m", "memory": "160Mi"},
        "limits": {"memory": "512Mi"},
    }
    assert container(objects)["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod(objects)["spec"]["securityContext"]["runAsUser"] == 65532
