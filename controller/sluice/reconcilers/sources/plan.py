"""In which order a tree is applied, and what is pruned: so that nothing opens by accident.

First what runs need, then rollouts and whatever is switched off, then workflows, and only after these have been published
whatever is switched on. Pruning goes the other way round, after everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.api import kinds
from sluice.api.kinds import KindInfo, kind_of
from sluice.ports.source import SourceObject
from sluice.ports.store import Ref

SOURCE_LABEL = "sluice.dev/source"
"""Names the source that an object comes from: its inventory is a selection by this label."""

_EARLY = (kinds.NAMESPACE, kinds.CONFIG_MAP, kinds.SECRET, kinds.ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class ApplyPlan:
    """``before`` and ``workflows`` are applied in order, ``after`` once the workflows were published; then ``runs`` are
    created, and ``prune`` goes."""

    before: tuple[SourceObject, ...]
    workflows: tuple[SourceObject, ...]
    after: tuple[SourceObject, ...]
    runs: tuple[SourceObject, ...]
    prune: tuple[Ref, ...]
    refused: str = ""
    """Why nothing is pruned although something is missing; empty when all is well."""


def ref_of(obj: dict[str, Any], namespace: str) -> Ref:
    """Names a declared object; without a namespace of its own it is in ``namespace``."""
    kind = kind_of(obj["apiVersion"], obj["kind"])
    assert kind is not None, "a source hands over known kinds only"
    metadata = obj["metadata"]
    return Ref(kind, (metadata.get("namespace") or namespace) if kind.namespaced else "", metadata.get("name", ""))


def plan_apply(objects: Sequence[SourceObject], inventory: Iterable[Ref], *, namespace: str) -> ApplyPlan:
    """Sort what is declared, and find what is not any more."""
    stages: dict[int, list[SourceObject]] = {stage: [] for stage in range(5)}
    for declared in objects:
        stages[_stage(declared.obj)].append(declared)
    runs = stages[4]
    stages[0].sort(key=lambda declared: _EARLY.index(_kind(declared)))
    wanted = {ref_of(declared.obj, namespace) for stage in range(4) for declared in stages[stage]}
    stale = sorted((ref for ref in inventory if ref not in wanted), key=_pruning_order)
    refused = ""
    if stale and not objects:
        refused = (
            f"nothing is declared any more, but {len(stale)} objects were applied from here; they are left alone. "
            "If they are to go, delete them by hand"
        )
    return ApplyPlan(
        before=tuple(stages[0] + stages[1]),
        workflows=tuple(stages[2]),
        after=tuple(stages[3]),
        runs=tuple(runs),
        prune=() if refused else tuple(stale),
        refused=refused,
    )


def _stage(obj: dict[str, Any]) -> int:
    kind = kind_of(obj["apiVersion"], obj["kind"])
    if kind in _EARLY:
        return 0  # in this order: a namespace before what stands in it
    if kind is kinds.WORKFLOW:
        return 2
    if kind is kinds.ENVIRONMENT_STATE:
        return 3 if _opens(obj.get("spec", {})) else 1
    return 4 if kind is kinds.WORKFLOW_RUN else 1


def _kind(declared: SourceObject) -> KindInfo:
    return ref_of(declared.obj, "").kind


def _opens(state: dict[str, Any]) -> bool:
    return state.get("state") == "Active" and not state.get("overrides")


_PRUNED_FIRST: tuple[KindInfo, ...] = (
    kinds.ENVIRONMENT_STATE,
    kinds.WORKFLOW,
    kinds.ROLLOUT,
    kinds.ENVIRONMENT,
)


def _pruning_order(ref: Ref) -> tuple[int, str, str]:
    order = _PRUNED_FIRST.index(ref.kind) if ref.kind in _PRUNED_FIRST else len(_PRUNED_FIRST)
    return order, ref.namespace, ref.name
