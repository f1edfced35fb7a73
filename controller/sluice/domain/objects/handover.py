"""From client-side to server-side apply with kubectl: what its annotation says it applied is its own to change.

kubectl wrote these fields as ``kubectl-client-side-apply`` and wants to change them as ``kubectl``. The API server lets it, as
long as nobody has changed them since; so moving on to ``--server-side`` needs no ``--force-conflicts``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sluice.domain.objects.comparison import applied_fields, compared, ownable
from sluice.domain.objects.fieldsets import paths
from sluice.domain.objects.ownership import By, Claim
from sluice.domain.objects.shapes import Shape

KUBECTL: Final = "kubectl"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def disputed(shape: Shape, live: dict[str, Any], claims: Sequence[Claim], by: By) -> list[Claim]:
    """The claims that stand: all of them, unless kubectl applied the field itself and it is as it left it."""
    if by.manager != KUBECTL or by.subresource:
        return list(claims)
    applied = _last_applied(live)
    if applied is None:
        return list(claims)
    changed_since = set(paths(compared(shape, ownable(applied), ownable(live)).changed))
    own = set(paths(applied_fields(shape, ownable(applied)))) - changed_since
    return [claim for claim in claims if claim.field not in own]


def _last_applied(live: dict[str, Any]) -> dict[str, Any] | None:
    annotation = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        applied = json.loads(annotation) if annotation else None
    except ValueError:
        return None
    return applied if isinstance(applied, dict) else None
