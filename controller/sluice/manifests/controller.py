"""The controller's Deployment, and the volume of a ledger that is a file."""

from __future__ import annotations

from sluice import __version__
from sluice.manifests.settings import (
    CONTROLLER,
    HTTPS_PORT,
    LABELS,
    LEDGER,
    METRICS_PORT,
    SELECTED,
    USER_ID,
    Manifest,
    Overlay,
    Settings,
    namespaced,
)

FOLDER = "/var/lib/sluice"
FILE_LEDGER = f"sqlite:///{FOLDER}/ledger.db"
STORAGE = "5Gi"
ENDED_RUNS = {
    "SLUICE_KEEP_FOR": "7d",
    "SLUICE_KEEP_SUCCEEDED": "50",
    "SLUICE_KEEP_FAILED": "50",
    "SLUICE_KEEP_IN_NAMESPACE": "2000",
}
"""The options of `sluice controller` about the objects that stay, to be seen and changed where it is installed."""
REPLICAS = {Overlay.DEFAULT: 1, Overlay.POSTGRES: 1, Overlay.HA: 2}


def deployment(settings: Settings) -> Manifest:
    """The controller. With a ledger in a file the old one ends before the new one starts; there is one writer."""
    on_volume = settings.overlay is Overlay.DEFAULT
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": namespaced(CONTROLLER, settings),
        "spec": {
            "replicas": REPLICAS[settings.overlay],
            "revisionHistoryLimit": 3,
            "strategy": {"type": "Recreate"} if on_volume else rolling,
            "selector": {"matchLabels": dict(SELECTED)},
            "template": {
                "metadata": {
                    "labels": {**LABELS, "app.kubernetes.io/version": __version__},
                    "annotations": {"kubectl.kubernetes.io/default-container": "controller"},
                },
                "spec": _pod(settings, on_volume=on_volume),
            },
        },
    }


def ledger_volume(settings: Settings) -> Manifest:
    """The claim on the volume that holds the ledger's file."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": namespaced(LEDGER, settings),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": STORAGE}}},
    }


def _pod(settings: Settings, *, on_volume: bool) -> Manifest:
    pod: Manifest = {
        "serviceAccountName": CONTROLLER,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(settings, on_volume=on_volume)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}],
    }
    if on_volume:
        pod["volumes"].append({"name": "ledger", "persistentVolumeClaim": {"claimName": LEDGER}})
    else:
        pod["topologySpreadConstraints"] = [_apart("kubernetes.io/hostname"), _apart("topology.kubernetes.io/zone")]
    return pod


def _container(settings: Settings, *, on_volume: bool) -> Manifest:
    url = {"secretKeyRef": {"name": LEDGER, "key": "url"}}
    container: Manifest = {
        "name": "controller",
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sluice", "controller"],
        "env": [
            {"name": "SLUICE_LEDGER", **({"value": FILE_LEDGER} if on_volume else {"valueFrom": url})},
            {"name": "SLUICE_RUNNER_URL", "value": settings.runner_url},
            {"name": "SLUICE_RUNNER_IMAGE", "value": settings.image},
            _field("POD_NAMESPACE", "metadata.namespace"),
            _field("POD_NAME", "metadata.name"),
            _field("POD_IP", "status.podIP"),
            {"name": "HOME", "value": "/tmp"},
            *({"name": name, "value": value} for name, value in ENDED_RUNS.items()),
        ],
        "ports": [
            {"name": "https", "containerPort": HTTPS_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": _probe("/livez", periodSeconds=2, failureThreshold=60),
        "livenessProbe": _probe("/livez", periodSeconds=10, failureThreshold=3),
        "readinessProbe": _probe("/readyz", periodSeconds=5, failureThreshold=2),
        "resources": {"requests": {"cpu": "100m", "memory": "160Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    if on_volume:
        container["volumeMounts"].append({"name": "ledger", "mountPath": FOLDER})
    return container


def _field(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _probe(path: str, **times: int) -> Manifest:
    """Plain HTTP, so that a kubelet asks without a certificate. The default of a second is short on a busy node."""
    return {"httpGet": {"path": path, "port": "metrics"}, "timeoutSeconds": 5, **times}


def _apart(topology: str) -> Manifest:
    """Controllers on different nodes or zones, where there are several; a controller together is better than none."""
    return {
        "topologyKey": topology,
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(SELECTED)},
    }
