"""How far an object is, as tools that wait for whole sets of objects tell it: the rules of kstatus for custom resources.

Argo CD, Flux, Helm and ``kubectl`` go by these: https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """What kstatus calls a status."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"


def standing(obj: dict[str, Any]) -> Standing:
    """Terminating, then what was not looked at yet, then Reconciling and Stalled, then Ready."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return Standing.TERMINATING
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return Standing.IN_PROGRESS
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    if conditions.get("Reconciling") == "True":
        return Standing.IN_PROGRESS
    if conditions.get("Stalled") == "True":
        return Standing.FAILED
    if conditions.get("Ready", "True") != "True":
        return Standing.IN_PROGRESS
    return Standing.CURRENT


def faults(obj: dict[str, Any]) -> list[str]:
    """What a status lacks that those tools rely on."""
    status = obj.get("status") or {}
    conditions = status.get("conditions") or []
    found = []
    if "observedGeneration" not in status:
        found.append("status.observedGeneration is missing")
    if not any(each["type"] == "Ready" for each in conditions):
        found.append("there is no condition Ready")
    for each in conditions:
        absent = {"type", "status", "reason", "message", "lastTransitionTime"} - each.keys()
        found += [f"condition {each['type']} has no {name}" for name in sorted(absent)]
        if each["type"] in {"Reconciling", "Stalled"} and each["status"] != "True":
            found.append(f"condition {each['type']} is there and not true")
    return found
