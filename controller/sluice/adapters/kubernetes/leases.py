"""What a Lease of coordination.k8s.io says about a leader, and how one is written."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from sluice.api.kinds import LEASE
from sluice.domain.timestamps import fine_stamp, parse_stamp
from sluice.ports.store import Obj, Ref

RUNNER_URL = "sluice.dev/runner-url"
"""The annotation that tells where the holder wants runners to go."""
MANAGED_BY = {"app.kubernetes.io/managed-by": "sluice"}
_TICK = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LeaseName:
    """Which Lease a leadership is about."""

    namespace: str = "sluice-system"
    name: str = "sluice-controller"

    @property
    def ref(self) -> Ref:
        """Where it is in a store."""
        return Ref(LEASE, self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a winner writes: who it is, its term, for how long each sign of life counts, and where runners go."""

    identity: str
    term: int
    duration_s: float
    runner_url: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What a Lease says of its holder. Its times are left out: they are by the holder's clock."""

    holder: str
    term: int
    duration_s: float
    runner_url: str = ""


def read(lease: Obj) -> Record:
    """What a Lease says; what anybody left out is empty or 0."""
    spec, metadata = lease.get("spec") or {}, lease["metadata"]
    return Record(
        str(spec.get("holderIdentity") or ""),
        int(spec.get("leaseTransitions") or 0),
        float(spec.get("leaseDurationSeconds") or 0),
        str((metadata.get("annotations") or {}).get(RUNNER_URL, "")),
    )


def claimed(lease: Obj | None, name: LeaseName, claim: Claim, now: dt.datetime) -> Obj:
    """The Lease as the winner of an election writes it: in place of ``lease``, or a new one."""
    made = _copied(lease) if lease is not None else _new(name)
    _say(made, claim.runner_url)
    made["spec"] |= {
        "holderIdentity": claim.identity,
        "leaseDurationSeconds": math.ceil(claim.duration_s),
        "leaseTransitions": claim.term,
        "acquireTime": fine_stamp(now),
    }
    return _stamped(made, now)


def renewed(lease: Obj, now: dt.datetime) -> Obj:
    """The Lease with a new sign of life."""
    return _stamped(_copied(lease), now)


def released(lease: Obj, now: dt.datetime) -> Obj:
    """The Lease without a holder. Its duration is a second, as other implementations of elections expect it."""
    made = _copied(lease)
    _say(made, "")
    made["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
    return _stamped(made, now)


def _new(name: LeaseName) -> dict[str, Any]:
    metadata = {"namespace": name.namespace, "name": name.name, "labels": dict(MANAGED_BY)}
    return {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": {}}


def _copied(lease: Obj) -> dict[str, Any]:
    metadata = {**lease["metadata"], "annotations": dict(lease["metadata"].get("annotations") or {})}
    metadata.pop("managedFields", None)
    return {**lease, "metadata": metadata, "spec": dict(lease.get("spec") or {})}


def _say(lease: dict[str, Any], runner_url: str) -> None:
    annotations = lease["metadata"].setdefault("annotations", {})
    annotations.pop(RUNNER_URL, None)
    if runner_url:
        annotations[RUNNER_URL] = runner_url


def _stamped(lease: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    """With another ``renewTime`` than before, even if the clock stands still: a write that changes nothing moves nothing,
    and would be no sign of life."""
    with contextlib.suppress(ValueError):
        if parse_stamp(str(lease["spec"].get("renewTime"))) == now:
            now += _TICK
    lease["spec"]["renewTime"] = fine_stamp(now)
    return lease
