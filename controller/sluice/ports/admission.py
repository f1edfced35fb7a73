"""What the API server itself does to a write before it is stored: defaults, pruning, rules, policies.

On a cluster this is the CRDs' schemas, their CEL rules and the admission policies. The embedded store is given an
implementation that does the same in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sluice.api.kinds import KindInfo
from sluice.ports.store import Actor

Operation = Literal["CREATE", "UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One write about to happen. ``new`` may be changed in place (defaults, pruning); ``old`` must not."""

    kind: KindInfo
    operation: Operation
    actor: Actor
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    subresource: Literal["", "status"] = ""


class Admission(Protocol):
    """Decides on writes; called again when an optimistic write is retried, so it must not remember anything."""

    def admit(self, request: AdmissionRequest) -> None:
        """Fill in defaults and prune ``request.new`` in place; raise Invalid or Forbidden to refuse the write."""
