"""Environments, runs and installations for tests of launching; each field as the test says, the rest plain."""

from __future__ import annotations

from typing import Any

from sluice.api.environment import Environment
from sluice.api.kinds import API_VERSION
from sluice.domain.launching.names import SegmentPod
from sluice.domain.launching.placement import Placement, placement_of
from sluice.domain.launching.pods import Installation
from sluice.ports.launcher import RunIdentity

RUN = RunIdentity(
    uid="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    id="wfr_0123456789abcdefghijkl",
    namespace="support",
    name="support-escalation-x7k2p",
    workflow="support-escalation",
    environment="production",
    number=12,
)
CA = "-----BEGIN CERTIFICATE-----\n" + "MIIBmzCCAUGgAwIBAgIVAMt1" * 21 + "\n-----END CERTIFICATE-----\n"
"""As long as the certificate of an authority with an elliptic curve's key is."""
INSTALLATION = Installation(
    url="https://sluice-controller.sluice-system.svc:8443",
    server_name="sluice-controller.sluice-system.svc",
    ca_pem=CA,
    image="ghcr.io/sluice-dev/sluice:0.1.0",
    controller_id="sluice-system",
    cluster="cluster-uid",
)


def environment(**spec: Any) -> Environment:
    return Environment.model_validate(
        {
            "apiVersion": API_VERSION,
            "kind": "Environment",
            "metadata": {"name": "production", "namespace": "support"},
            "spec": {"type": "Production", **spec},
        }
    )


def placement(*, embedded: bool = False, **spec: Any) -> Placement:
    return placement_of(environment(**spec), embedded=embedded)


def segment(run: RunIdentity = RUN, **given: Any) -> SegmentPod:
    return SegmentPod(run, **{"unit": "main", "epoch": 1, "trigger": "webhook", **given})
