"""The folders of `kubectl apply --server-side -k`: a base, an overlay for each way to run, and components to add."""

from __future__ import annotations

from sluice.crds.definitions import definitions
from sluice.manifests.controller import REPLICAS
from sluice.manifests.objects import parts
from sluice.manifests.settings import CONTROLLER, Manifest, Overlay, Settings

FOLDER = "manifests"
BASE = ("namespace", "admission-policies", "controller-rights", "launcher-bindings", "people-rights", "service")
"""Parts that are the same in every overlay. The definitions are a folder of their own."""
COMPONENTS = ("webhook", "podmonitor", "default-environment")


def kustomize_files() -> dict[str, list[Manifest]]:
    """Path in the repository to what the file holds."""
    everything = parts(Settings(webhook=True, pod_monitor=True, default_environment=True))
    postgres = parts(Settings(overlay=Overlay.POSTGRES))
    replicated = parts(Settings(overlay=Overlay.HA))
    files = _folder("base", {name: everything[name] for name in BASE}, "../../crds")
    files |= _folder("overlays/default", {name: everything[name] for name in ("ledger", "deployment")}, "../../base")
    files |= _folder("overlays/postgres", {"deployment": postgres["deployment"]}, "../../base")
    files |= _folder(
        "overlays/ha",
        {"disruption-budget": replicated["disruption-budget"]},
        "../postgres",
        replicas=[{"name": CONTROLLER, "count": REPLICAS[Overlay.HA]}],
    )
    for name in COMPONENTS:
        files |= _folder(f"components/{name}", {name: everything[name]}, component=True)
    files |= _folder(".", {}, "overlays/default")
    # Under this name kubectl finds it with -k, and doesn't take it for a manifest with -f.
    files["crds/Kustomization"] = [_kustomization(sorted(definitions()))]
    return files


def _folder(
    name: str, held: dict[str, list[Manifest]], *bases: str, component: bool = False, **settings: object
) -> dict[str, list[Manifest]]:
    folder = FOLDER if name == "." else f"{FOLDER}/{name}"
    files = {f"{folder}/{part}.yaml": manifests for part, manifests in held.items()}
    resources = [*bases, *(f"{part}.yaml" for part in held)]
    made = _kustomization(resources, component=component) | settings
    return {f"{folder}/kustomization.yaml": [made], **files}


def _kustomization(resources: list[str], *, component: bool = False) -> Manifest:
    kind, version = ("Component", "v1alpha1") if component else ("Kustomization", "v1beta1")
    return {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind, "resources": resources}
