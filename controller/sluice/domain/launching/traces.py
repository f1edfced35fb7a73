"""What a run remembers of where else it was launched: its Jobs there are nobody's, so it must not go before they do.

In its own namespace a run owns its Jobs, and the cluster deletes them with it. Elsewhere nothing does: there a finalizer
holds the run until its Jobs were deleted, and an annotation tells where to look, whatever became of the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from sluice.api.environment import Launch
from sluice.domain.launching.placement import Placement, RemoteCluster

FINALIZER: Final = "sluice.dev/launched-elsewhere"
PLACES: Final = "sluice.dev/launched-in"
"""Annotation: a list of maps with ``namespace`` and, on another cluster, ``secret`` and perhaps ``context``."""

Metadata = Mapping[str, Any]


def leaves_traces(placement: Placement) -> bool:
    """Whether what is launched there outlives the run's object."""
    return placement.launch is not Launch.PROCESS and not placement.is_at_home


def is_marked(metadata: Metadata) -> bool:
    """Whether the run's object waits for what was launched elsewhere."""
    return FINALIZER in (metadata.get("finalizers") or ())


def marked(metadata: dict[str, Any], placement: Placement) -> dict[str, Any]:
    """The run's metadata before something of it is launched there; the same dict when it says so already."""
    if not leaves_traces(placement):
        return metadata
    known, place = _read(metadata), _place(placement)
    if is_marked(metadata) and place in known:
        return metadata
    finalizers = [*(metadata.get("finalizers") or ())]
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)
    places = known if place in known else [*known, place]
    annotations = {**(metadata.get("annotations") or {}), PLACES: orjson.dumps(places).decode()}
    return {**metadata, "finalizers": finalizers, "annotations": annotations}


def unmarked(metadata: Metadata) -> dict[str, Any]:
    """The metadata once nothing is left elsewhere."""
    return {**metadata, "finalizers": [one for one in metadata.get("finalizers") or () if one != FINALIZER]}


def places_of(metadata: Metadata) -> tuple[Placement, ...]:
    """Where the run was launched elsewhere: cluster and namespace of each, all else is not remembered."""
    workspace = str(metadata["namespace"])
    return tuple(
        Placement(
            Launch.JOB,
            workspace,
            place["namespace"],
            "",
            cluster=RemoteCluster(place["secret"], place.get("context", "")) if place.get("secret") else None,
        )
        for place in _read(metadata)
    )


def _place(placement: Placement) -> dict[str, str]:
    remote = placement.cluster
    if remote is None:
        return {"namespace": placement.namespace}
    place = {"namespace": placement.namespace, "secret": remote.kubeconfig_secret}
    return place | ({"context": remote.context} if remote.context else {})


def _read(metadata: Metadata) -> list[dict[str, str]]:
    """The places as the annotation has them; what somebody wrote there by hand and is none is left out."""
    text = (metadata.get("annotations") or {}).get(PLACES) or "[]"
    try:
        listed = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return [place for place in listed if _is_place(place)] if isinstance(listed, list) else []


def _is_place(place: Any) -> bool:
    return (
        isinstance(place, dict)
        and bool(place.get("namespace"))
        and place.keys() <= {"namespace", "secret", "context"}
        and all(isinstance(value, str) for value in place.values())
    )
