"""Whom the API server trusts when it calls the validating webhook: the controller's own authority, which it renews."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from sluice.adapters.kubernetes.transport import Transport
from sluice.ports.errors import NotFound

NAME = "sluice-validation"
COLLECTION = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
MANAGER = "sluice-controller"
"""A manager of its own, so that applying the manifests again takes nothing away."""
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


def inject(transport: Transport, authority: str, *, name: str = NAME) -> bool:
    """Write ``authority`` (certificates as PEM) into a configuration; False where it was there, or nobody installed one.

    Raises an error of the port when the API server refuses it: RBAC, or an authority that is no certificate.
    """
    path, bundle = f"{COLLECTION}/{name}", base64.b64encode(authority.encode()).decode()
    try:
        configuration = orjson.loads(transport.send("GET", path))
        stale = [webhook for webhook in configuration.get("webhooks") or () if _trusted(webhook) != bundle]
        if not stale:
            return False
        # Webhooks are merged by their names: whatever else somebody changed in them stays.
        patch = {"webhooks": [{"name": webhook["name"], "clientConfig": {"caBundle": bundle}} for webhook in stale]}
        query = {"fieldManager": MANAGER}
        transport.send("PATCH", path, query, body=orjson.dumps(patch), content_type=STRATEGIC_PATCH)
    except NotFound:
        return False
    return True


def _trusted(webhook: dict[str, Any]) -> str:
    return str((webhook.get("clientConfig") or {}).get("caBundle") or "")
