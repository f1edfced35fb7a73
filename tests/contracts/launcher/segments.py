"""Definitions and segments, short to write."""

from __future__ import annotations

import itertools
from typing import Any

from sluice.ports.launcher import MAIN_UNIT, RunIdentity, Segment

LIMITS = {"stepMemory": 256 * 1024 * 1024, "stepTimeout": 30, "parallelSteps": 16}
_numbers = itertools.count(1)


def python(name: str, code: str, *needs: str, **more: Any) -> dict[str, Any]:
    """A Python step."""
    return {"name": name, "needs": list(needs), "action": {"python": {"code": code}}, **more}


def definition(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A canonical definition of these steps."""
    return {"trigger": {"manual": {}}, "execution": "Parallel", "failurePolicy": "Drain", "steps": [*steps], **more}


def segment(
    graph: dict[str, Any], *, payload: Any = None, run: str = "", trust: str = "", epoch: int = 1, **more: Any
) -> Segment:
    """A segment of a new run; what is not said gets a name of its own."""
    number = next(_numbers)
    uid = run or f"run-{number}"
    given = {"payload": payload, "params": {}, "env": {"name": "test"}, "run": {"id": uid, "name": uid}, "trigger": {}}
    return Segment(
        run=RunIdentity(uid, f"wfr_{uid}", "default", uid, "flow", "test", 1),
        unit=MAIN_UNIT,
        epoch=epoch,
        trust=trust or f"trust-{number}",
        level=1,
        definition=graph,
        input=given,
        limits=more.pop("limits", LIMITS),
        **more,
    )
