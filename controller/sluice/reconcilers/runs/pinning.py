"""The pin: version, draw and parameters, written once and in one write."""

from __future__ import annotations

from typing import Any

from sluice.domain.launching.placement import Placement
from sluice.domain.launching.traces import marked
from sluice.domain.routing.quota import percent_text
from sluice.domain.timestamps import fine_stamp
from sluice.ports.store import Obj
from sluice.reconcilers.runs.entry import LetIn
from sluice.reconcilers.world import (
    CONTROLLER,
    ENVIRONMENT_LABEL,
    TRIGGER_LABEL,
    VERSION_LABEL,
    WORKFLOW_LABEL,
    World,
)


def write_pin(world: World, obj: Obj, let_in: LetIn) -> Obj:
    """Store the pin with the resource version of the object that was looked at. Conflict when it moved meanwhile."""
    spec, metadata = obj["spec"], obj["metadata"]
    trigger = (spec["input"].get("trigger") or {}).get("type", "manual")
    labels = {
        WORKFLOW_LABEL: spec["input"]["workflow"],
        ENVIRONMENT_LABEL: let_in.place.name,
        VERSION_LABEL: f"v{let_in.version.number}",
        TRIGGER_LABEL: trigger,
    }
    pinned = {
        **obj,
        "metadata": marked({**metadata, "labels": {**metadata.get("labels", {}), **labels}}, let_in.place.placement),
        "spec": {**spec, "pin": _pin(world, let_in)},
    }
    return world.store.update(pinned, manager=CONTROLLER)


def mark_place(world: World, obj: Obj, placement: Placement) -> Obj:
    """Store where a pinned run is launched, if nobody owns what is launched there and it is not known from it yet.

    Its environment may have moved since the pin. Conflict when the object moved meanwhile.
    """
    metadata = marked(obj["metadata"], placement)
    if metadata is obj["metadata"]:
        return obj
    return world.store.update({**obj, "metadata": metadata}, manager=CONTROLLER)


def _pin(world: World, let_in: LetIn) -> dict[str, Any]:
    version, draw, split = let_in.version, let_in.draw, let_in.split
    pin: dict[str, Any] = {
        "version": version.name,
        "number": version.number,
        "digest": version.digest,
        "environment": let_in.place.name,
        "level": version.level,
        "at": fine_stamp(world.clock.now()),
        "draw": {
            "window": draw.window,
            "place": draw.n,
            "candidate": draw.candidate,
            "percent": percent_text(split.hundredths),
            "revision": let_in.revision,
        },
    }
    if let_in.params:
        pin["params"] = let_in.params
    return pin
