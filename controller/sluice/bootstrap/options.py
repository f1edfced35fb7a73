"""What `sluice controller` is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sluice.reconcilers.runs.retention import Keep

CONTROLLER_ID = "sluice"


@dataclass(frozen=True, slots=True)
class Options:
    """See the help of `sluice controller` for each."""

    ledger: str
    namespace: str
    identity: str
    runner_url: str
    runner_image: str
    advertise: str = ""
    listen: str = "0.0.0.0:8443"
    metrics_listen: str = "0.0.0.0:8080"
    kubeconfig: Path | None = None
    context: str = ""
    qps: float = 500.0
    burst: int = 1000
    pull_policy: str = ""
    controller_id: str = CONTROLLER_ID
    watch_namespaces: tuple[str, ...] = ()
    keep: Keep = Keep()  # noqa: RUF009 - frozen
