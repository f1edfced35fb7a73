"""What somebody chooses when they install Sluice, and the names that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sluice import __version__

Manifest = dict[str, Any]

NAMESPACE = "sluice-system"
CONTROLLER = "sluice-controller"
"""The name of the controller's own Deployment, Service, ServiceAccount and roles."""
LEDGER = "sluice-ledger"
"""The volume claim of a SQLite ledger, and the Secret whose key ``url`` leads to a PostgreSQL one."""
IMAGE = f"ghcr.io/sluice-dev/sluice:{__version__}"
HTTPS_PORT, METRICS_PORT = 8443, 8080
PART_OF = {"app.kubernetes.io/part-of": "sluice"}
SELECTED = {"app.kubernetes.io/name": CONTROLLER}
"""The label by which Service, budget, network policy and monitor know the controller's pods."""
LABELS = SELECTED | PART_OF
USER_ID = 65532
"""User and group of controller and runners, in the image too."""


class Overlay(StrEnum):
    """Where the ledger is, and how many controllers there are."""

    DEFAULT = "default"
    POSTGRES = "postgres"
    HA = "ha"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``launch_in`` are the namespaces in which the controller may start pods; all, if none is named."""

    overlay: Overlay = Overlay.DEFAULT
    namespace: str = NAMESPACE
    image: str = IMAGE
    launch_in: tuple[str, ...] = ()
    webhook: bool = False
    pod_monitor: bool = False
    default_environment: bool = False

    @property
    def user(self) -> str:
        """The controller as the API server knows it."""
        return f"system:serviceaccount:{self.namespace}:{CONTROLLER}"

    @property
    def runner_url(self) -> str:
        """Where runners find the controller."""
        return f"https://{CONTROLLER}.{self.namespace}.svc:{HTTPS_PORT}"


def cluster_wide(name: str, **labels: str) -> Manifest:
    """The metadata of an object without a namespace."""
    return {"name": name, "labels": {**PART_OF, **labels}}


def namespaced(name: str, settings: Settings) -> Manifest:
    """The metadata of an object of the controller's namespace."""
    return {"name": name, "namespace": settings.namespace, "labels": dict(LABELS)}
