"""The Helm chart holds what `sluice install` prints, and a release can come, change and go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.manifests import Overlay, Settings, installed
from tests.cluster.installation import Cluster
from tests.manifests.helm import CHART, RELEASE, Helm
from tests.manifests.reading import Identity, Obj, by_identity, container, pod, read

pytestmark = pytest.mark.cluster

OF_HELM = "helm.sh/"
EVERYTHING = ("webhook.enabled=true", "podMonitor.enabled=true", "defaultEnvironment.enabled=true")
CASES: dict[str, tuple[tuple[str, ...], Settings]] = {
    "default": ((), Settings()),
    "postgres": (("ledger.kind=postgres",), Settings(overlay=Overlay.POSTGRES)),
    "ha": (("ledger.kind=postgres", "replicas=2"), Settings(overlay=Overlay.HA)),
    "everything": (EVERYTHING, Settings(webhook=True, pod_monitor=True, default_environment=True)),
    "chosen namespaces": (("launchIn={red,blue}",), Settings(launch_in=("red", "blue"))),
    "another image": (
        ("image.repository=registry.example.com/sluice", "image.tag=v2"),
        Settings(image="registry.example.com/sluice:v2"),
    ),
    "an image by digest": (
        (f"image.digest=sha256:{'a' * 64}",),
        Settings(image=f"ghcr.io/sluice-dev/sluice@sha256:{'a' * 64}"),
    ),
}


@pytest.fixture
def helm(tmp_path: Path) -> Helm:
    return Helm(tmp_path)


def rendered(helm: Helm, *values: str) -> dict[Identity, Obj]:
    """The chart's objects, without what is said to Helm alone."""
    done = helm.template(*values)
    assert done.returncode == 0, done.stderr
    objects = read(done.stdout)
    for obj in objects.values():
        annotations = obj["metadata"].get("annotations", {})
        if any(name.startswith(OF_HELM) for name in annotations):
            assert all(name.startswith(OF_HELM) for name in annotations)
            del obj["metadata"]["annotations"]
    return objects


@pytest.mark.parametrize("case", CASES)
def test_the_chart_is_what_install_prints(case: str, helm: Helm) -> None:
    values, settings = CASES[case]
    wanted = by_identity(obj for obj in installed(settings) if obj["kind"] != "Namespace")  # Helm makes its own
    assert rendered(helm, *values) == wanted


def test_in_another_namespace_too(tmp_path: Path) -> None:
    helm, settings = Helm(tmp_path, namespace="tools"), Settings(namespace="tools", webhook=True)
    wanted = by_identity(obj for obj in installed(settings) if obj["kind"] != "Namespace")
    assert rendered(helm, "webhook.enabled=true") == wanted


def test_what_values_choose_for_the_pod_is_in_it(helm: Helm) -> None:
    values = ("nodeSelector.disk=fast", "tolerations[0].operator=Exists", "image.pullSecrets[0].name=mirror")
    chosen = rendered(helm, *values, "resources.limits.memory=1Gi", "image.pullPolicy=Never").values()
    spec = pod(chosen)["spec"]
    assert spec["nodeSelector"] == {"disk": "fast"}
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["imagePullSecrets"] == [{"name": "mirror"}]
    assert container(chosen)["resources"]["limits"] == {"memory": "1Gi"}
    assert container(chosen)["imagePullPolicy"] == "Never"


def test_what_values_say_of_ended_runs_is_told_the_controller(helm: Helm) -> None:
    values = ("endedRuns.keepFor=30d", "endedRuns.failed=0", "endedRuns.perNamespace=100000")
    env = {variable["name"]: variable.get("value") for variable in container(rendered(helm, *values).values())["env"]}
    told = {name: value for name, value in env.items() if name.startswith("SLUICE_KEEP_")}
    assert told == {
        "SLUICE_KEEP_FOR": "30d",
        "SLUICE_KEEP_SUCCEEDED": "50",
        "SLUICE_KEEP_FAILED": "0",
        "SLUICE_KEEP_IN_NAMESPACE": "100000",
    }


def test_a_ledger_elsewhere_or_on_another_volume(helm: Helm) -> None:
    objects = rendered(helm, "ledger.storage=50Gi", "ledger.storageClassName=fast")
    claim = objects["PersistentVolumeClaim", "sluice-system", "sluice-ledger"]["spec"]
    assert claim["resources"] == {"requests": {"storage": "50Gi"}}
    assert claim["storageClassName"] == "fast"
    values = ("ledger.kind=postgres", "ledger.secret.name=pg", "ledger.secret.key=uri")
    (ledger, *_) = container(rendered(helm, *values).values())["env"]
    assert ledger["valueFrom"] == {"secretKeyRef": {"name": "pg", "key": "uri"}}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("replicas=2", "a SQLite ledger has one writer: set replicas to 1, or ledger.kind to postgres"),
        ("ledger.kind=mysql", "at '/ledger/kind': value must be one of 'sqlite', 'postgres'"),
        ("image.digest=latest", "at '/image/digest'"),
        ("endedRuns.keepFor=a week", "at '/endedRuns/keepFor'"),
        ("endedRuns.failed=10001", "at '/endedRuns/failed': maximum"),
        ("endedRuns.succeeded=null", "at '/endedRuns': missing property 'succeeded'"),
        ("endedRuns=null", "missing property 'endedRuns'"),
        ("webhok.enabled=true", "additional properties 'webhok' not allowed"),
    ],
)
def test_values_that_can_not_be_are_refused_with_what_to_do(value: str, why: str, helm: Helm) -> None:
    refused = helm.template(value)
    assert refused.returncode
    assert why in refused.stderr


def test_helm_finds_nothing_to_say_against_the_chart(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART))


class TestARelease:
    """On a real API server, one step after the other."""

    @pytest.fixture
    def release(self, bare: Cluster, tmp_path: Path) -> Iterator[Helm]:
        helm = Helm(tmp_path, bare.kubeconfig)
        helm("install", RELEASE, str(CHART), "--create-namespace", *_set(*EVERYTHING[::2]))
        yield helm
        helm.run("uninstall", RELEASE)

    def test_comes_in_one_go_goes_and_comes_back_and_leaves_what_people_made(
        self, release: Helm, bare: Cluster
    ) -> None:
        assert status(bare, "environment", "local") is not None
        bare("annotate", "environment", "local", "example.com/touched=yes")
        upgraded = release("upgrade", RELEASE, str(CHART), *_set(*EVERYTHING[::2], "replicas=0"))
        assert "has been upgraded" in upgraded
        told = release("uninstall", RELEASE)
        assert "[CustomResourceDefinition] workflows.sluice.dev" in told
        assert "[PersistentVolumeClaim] sluice-ledger" in told
        assert status(bare, "deployment", "sluice-controller", "sluice-system") is None
        release("install", RELEASE, str(CHART), *_set(*EVERYTHING[::2]))
        environment = status(bare, "environment", "local")
        assert environment is not None
        assert environment["metadata"]["annotations"]["example.com/touched"] == "yes"


def _set(*values: str) -> list[str]:
    return [word for value in values for word in ("--set", value)]


def status(cluster: Cluster, kind: str, name: str, namespace: str = "default") -> dict[str, Any] | None:
    """An object, or None if there is none."""
    done = cluster.run("get", kind, name, f"--namespace={namespace}", "-o", "json", "--ignore-not-found")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] | None = json.loads(done.stdout) if done.stdout else None
    return found
