"""What a manifest would change: fields, versions, steps, and how a rollout would go. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.api.kinds import GROUP
from sluice.cli.client import Obj
from sluice.cli.output import as_line, name_of
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.shapes import LATEST

SHOWN = 72
"""Characters of a value."""
OWN = f"{GROUP}/"
"""What the keys of Sluice's own labels and annotations begin with."""
KEPT_APART = frozenset({"steps", "graphs", "finally"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field and its values as short text; None where there is none."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.path}: {self.after} (new)"
        return f"{self.path}: {self.before} -> {'(removed)' if self.after is None else self.after}"


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What becomes of one object: ``verb`` is created, changed or unchanged; ``effects`` are what follows from it."""

    name: str
    verb: str
    fields: tuple[FieldChange, ...] = ()
    effects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What the server knows of a workflow: its versions, oldest first, and the number that the next one gets."""

    versions: Sequence[Obj] = ()
    next_number: int = 1


def object_change(
    before: Obj | None, after: Obj, *, effects: Sequence[str] = (), notes: Sequence[str] = ()
) -> ObjectChange:
    """Compare an object with what it would be. The definition is left to ``publication``, which tells it by steps."""
    if before is None:
        return ObjectChange(name_of(after), "created", (), tuple(effects), tuple(notes))
    fields = tuple(_field_changes(_declared(before), _declared(after), ""))
    verb = "changed" if fields or effects else "unchanged"
    return ObjectChange(name_of(after), verb, fields, tuple(effects), tuple(notes))


def publication(workflow: Obj, history: History, rollout: Obj | None) -> list[str]:
    """What the draft of ``workflow``, as it would be, leads to; empty when it is what was published last."""
    spec = workflow["spec"]
    source = spec.get("definitionFrom")
    if source:
        return [f"takes its definition from {source['workflow']} {source['version']}"]
    if not spec.get("definition"):
        return []
    newest = history.versions[-1] if history.versions else None
    level = int(newest["spec"]["level"]) if newest else LATEST
    canonical = canonicalize(spec["definition"], level)
    taken = digest(canonical, level)
    if newest and taken in {newest["spec"]["digest"], newest["spec"]["draftDigest"]}:
        return []
    manual = (spec.get("publish") or {}).get("policy") == "Manual"
    name = workflow["metadata"]["name"]
    does = f"is published as v{history.next_number}"
    lines = [f"waits for `sluice publish {name}`, then {does}" if manual else does]
    if (spec.get("publish") or {}).get("approval"):
        lines.append("waits for an approval before it takes runs")
    lines += definition_changes(newest["spec"]["definition"] if newest else {}, canonical)
    return [*lines, rollout_course(rollout, has_stable=newest is not None)]


def definition_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Which steps and other parts of two canonical definitions differ."""
    lines: list[str] = []
    for section in ("steps", "finally"):
        old = {step["name"]: step for step in before.get(section) or ()}
        new = {step["name"]: step for step in after.get(section) or ()}
        where = "step" if section == "steps" else "finally step"
        lines += [f"{where} {name} is added" for name in new if name not in old]
        lines += [f"{where} {name} is removed" for name in old if name not in new]
        for name, step in new.items():
            if name in old and old[name] != step:
                changed = sorted({change.path.partition(".")[0] for change in _field_changes(old[name], step, "")})
                lines.append(f"{where} {name} changes: {', '.join(changed)}")
        if [name for name in old if name in new] != [name for name in new if name in old]:
            lines.append(f"the order of {section} changes")
    old_graphs, new_graphs = before.get("graphs") or {}, after.get("graphs") or {}
    lines += [
        f"graph {name} {_fate(old_graphs.get(name), new_graphs.get(name))}"
        for name in sorted({*old_graphs, *new_graphs})
        if old_graphs.get(name) != new_graphs.get(name)
    ]
    others = sorted(({*before, *after}) - KEPT_APART)
    return lines + [f"{key} changes" for key in others if before and before.get(key) != after.get(key)]


def _fate(old: object, new: object) -> str:
    return "is added" if old is None else "is removed" if new is None else "changes"


def rollout_course(rollout: Obj | None, *, has_stable: bool) -> str:
    """How a new version takes over, by the Rollout that holds for it."""
    if not has_stable:
        return "takes all runs: there is no version before it"
    spec = rollout["spec"] if rollout else {}
    if spec.get("steps"):
        walk = ", ".join(f"{step['percent']} %{_brake(step)}" for step in spec["steps"])
        return f"takes runs by steps: {walk}"
    return f"takes {spec.get('percent', 100)} % of new runs"


def _brake(step: Mapping[str, Any]) -> str:
    pause, gate = step.get("pause"), step.get("gate")
    parts = []
    if pause is not None:
        parts.append(f"for {pause['duration']}" if pause.get("duration") else "until advanced")
    if gate:
        parts.append(f"after {gate['minRuns']} runs")
    return f" ({', '.join(parts)})" if parts else ""


def _declared(obj: Obj) -> Obj:
    """What people declare of an object, the definition left out."""
    metadata = obj.get("metadata") or {}
    kept = {field: _without_own(metadata.get(field) or {}) for field in ("labels", "annotations")}
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status", "apiVersion", "kind"}}
    spec = rest.get("spec")
    if obj.get("kind") == "Workflow" and isinstance(spec, dict):
        rest["spec"] = {key: value for key, value in spec.items() if key != "definition"}
    return {"metadata": kept, **rest}


def _without_own(pairs: Mapping[str, str]) -> dict[str, str]:
    """Labels or annotations without those that Sluice writes itself."""
    return {key: value for key, value in pairs.items() if not key.startswith(OWN)}


def _field_changes(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _field_changes(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after and not (before in (None, {}) and after in (None, {})):
        yield FieldChange(path, _short(before), _short(after))


def _short(value: Any) -> str | None:
    if value is None:
        return None
    text = " ".join(str(value).split()) if isinstance(value, str) else as_line(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
