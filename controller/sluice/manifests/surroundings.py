"""What stands around the controller's pods: its namespace, who reaches them, and what else may be installed."""

from __future__ import annotations

from sluice.api.kinds import API_VERSION, ENVIRONMENT, ENVIRONMENT_STATE, GROUP, ROLLOUT, VERSION, WORKFLOW
from sluice.manifests.controller_rights import VALIDATION
from sluice.manifests.settings import (
    CONTROLLER,
    HTTPS_PORT,
    METRICS_PORT,
    SELECTED,
    Manifest,
    Settings,
    cluster_wide,
    namespaced,
)


def namespace(settings: Settings) -> Manifest:
    """The controller's namespace, in which no pod may have more rights than the controller's own."""
    enforced = {f"pod-security.kubernetes.io/{name}": value for name, value in _POD_SECURITY.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": cluster_wide(settings.namespace, **enforced)}


def service(settings: Settings) -> Manifest:
    """One address for runners and the API server (https), and for who asks for metrics."""
    ports = [("https", HTTPS_PORT), ("metrics", METRICS_PORT)]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": namespaced(CONTROLLER, settings),
        "spec": {
            "selector": dict(SELECTED),
            "ports": [{"name": name, "port": port, "protocol": "TCP", "targetPort": name} for name, port in ports],
        },
    }


def network_policy(settings: Settings) -> Manifest:
    """Its two ports, from everywhere: runners are in any namespace, and API servers in none. What it opens is not bound."""
    ports = [{"port": name, "protocol": "TCP"} for name in ("https", "metrics")]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": namespaced(CONTROLLER, settings),
        "spec": {
            "podSelector": {"matchLabels": dict(SELECTED)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": ports}],
        },
    }


def disruption_budget(settings: Settings) -> Manifest:
    """One controller stays. Only of use where there are two: with one it would hold up every drain of its node."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": namespaced(CONTROLLER, settings),
        "spec": {
            "minAvailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": dict(SELECTED)},
        },
    }


def webhook(settings: Settings) -> Manifest:
    """Validation at admission. The controller itself writes into it who signed its certificate."""
    kinds = (WORKFLOW, ROLLOUT, ENVIRONMENT, ENVIRONMENT_STATE)
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": cluster_wide(VALIDATION),
        "webhooks": [
            {
                "name": f"validation.{GROUP}",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",  # the controller checks again, and nobody is to wait for it
                "timeoutSeconds": 5,
                "clientConfig": {
                    "service": {
                        "name": CONTROLLER,
                        "namespace": settings.namespace,
                        "port": HTTPS_PORT,
                        "path": "/validate",
                    }
                },
                "rules": [
                    {
                        "apiGroups": [GROUP],
                        "apiVersions": [VERSION],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": [kind.plural for kind in kinds],
                        "scope": "Namespaced",
                    }
                ],
            }
        ],
    }


def pod_monitor(settings: Settings) -> Manifest:
    """For the Prometheus operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": namespaced(CONTROLLER, settings),
        "spec": {
            "selector": {"matchLabels": dict(SELECTED)},
            "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "interval": "30s"}],
        },
    }


def default_environment() -> Manifest:
    """A sandbox in the namespace ``default``, as the embedded controller makes one."""
    return {
        "apiVersion": API_VERSION,
        "kind": ENVIRONMENT.kind,
        "metadata": {"name": "local", "namespace": "default"},
        "spec": {
            "type": "Sandbox",
            "defaultState": "Active",
            "description": "A sandbox to begin with: every workflow of this namespace is Active in it.",
        },
    }


_POD_SECURITY = {"enforce": "restricted", "enforce-version": "latest"}
