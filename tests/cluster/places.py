"""A pod to try from what it reaches: its container has busybox, or another with the same commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.installation import Cluster

PATIENCE_S = 3
"""How long a connection may take. A firewall may refuse at once or say nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """One pod that runs."""

    kubectl: Cluster
    namespace: str
    pod: str

    @property
    def address(self) -> str:
        """Its own."""
        found: dict[str, Any] = json.loads(self("get", "pod", self.pod, "-o", "json"))
        return str(found["status"]["podIP"])

    def reaches(self, host: str, port: int) -> bool:
        """Whether somebody takes a connection there."""
        attempt = f"nc -w {PATIENCE_S} {host} {port} -e /bin/true 2>/dev/null && echo yes || echo no"
        return self.says(attempt) == "yes"

    def says(self, script: str) -> str:
        """What a script prints there that must succeed."""
        return self("exec", self.pod, "--", "sh", "-c", script).strip()

    def __call__(self, *arguments: str) -> str:
        """kubectl in its namespace."""
        return self.kubectl(f"--namespace={self.namespace}", *arguments)
