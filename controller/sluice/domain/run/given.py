"""What a run was given when it was pinned: payload, parameters, and the records that expressions see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RunGiven:
    """``env``, ``run`` and ``trigger`` are the records of `sluice.domain.expressions.scope`; ``run.phase`` is added here.

    ``root`` is the uid of the run that idempotency keys belong to: the run's own, or that of the original for a replay
    from a failed step. ``started`` and ``deadline`` are microseconds, UTC; 0 is none.
    """

    payload: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    trigger: Mapping[str, Any] = field(default_factory=dict)
    root: str = ""
    started: int = 0
    deadline: int = 0

    @classmethod
    def read(cls, values: Mapping[str, Any], uid: str, deadline: int = 0) -> RunGiven:
        """From a segment's input: ``payload``, ``params``, ``env``, ``run``, ``trigger`` and, for replays, ``root``."""
        run = values.get("run") or {}
        return cls(
            payload=values.get("payload"),
            params=values.get("params") or {},
            env=values.get("env") or {},
            run=run,
            trigger=values.get("trigger") or {},
            root=values.get("root") or uid,
            started=microseconds(run.get("startedAt")),
            deadline=deadline,
        )

    def idempotency_key(self, step: str, index: int = 0) -> str:
        """32 hex digits: the same over attempts and over replays from a failed step. ``index`` counts loop iterations."""
        return hashlib.sha256(f"{self.root}\0{step}\0{index}".encode()).hexdigest()[:32]


def microseconds(moment: str | None) -> int:
    """An RFC 3339 time in microseconds since the epoch; 0 for none."""
    if not moment:
        return 0
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)


def rfc3339(at: int) -> str | None:
    """Microseconds since the epoch as a time with a zone; None for 0."""
    if not at:
        return None
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
