"""Which kinds of steps a definition has, for the flags of a workflow's list (R224)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FLAGS = ("agent", "mcp", "skill", "approval")


def contains(canonical: Mapping[str, Any]) -> dict[str, bool]:
    """Each flag and whether any step is of that kind, those of graphs and ``finally`` included; a tool of an agent
    counts as what it is."""
    kinds: set[str] = set()
    for step in _all_steps(canonical):
        kinds |= {flag for flag in FLAGS if step.get(flag) is not None}
        for tool in (step.get("agent") or {}).get("tools") or ():
            kinds |= {flag for flag in FLAGS if tool.get(flag) is not None}
    return {flag: flag in kinds for flag in FLAGS}


def _all_steps(canonical: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from canonical["steps"]
    yield from canonical.get("finally") or ()
    for graph in (canonical.get("graphs") or {}).values():
        yield from graph["steps"]
