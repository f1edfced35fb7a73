"""Who owns which field: ``metadata.managedFields``, and server-side apply, as the API server does them.

An apply claims the fields it names; a plain write claims what it changes. A claim on a field that another manager owns
with another value is a conflict for an apply (unless forced) and a take-over for a plain write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sluice.domain.objects.comparison import Comparison, all_fields, applied_fields, compared, ownable
from sluice.domain.objects.fieldsets import SELF, FieldSet, difference, intersection, paths, union
from sluice.domain.objects.merging import merged, pruned
from sluice.domain.objects.shapes import Shape

Entry = dict[str, Any]
"""One entry of ``metadata.managedFields``."""

Operation = Literal["Apply", "Update"]

BEFORE_FIRST_APPLY = "before-first-apply"
ANCIENT = "ancient-changes"
METADATA: FieldSet = {"f:metadata": {}}
"""Stays when the last manager lets go of its labels: the name and what else the server keeps there is nobody's to remove."""
MAX_UPDATE_MANAGERS = 10
"""Beyond this many plain writers, the oldest are told together: objects must not grow with the number of programs."""


class By(NamedTuple):
    """Who writes what, and when: ``now`` is RFC 3339 in UTC, ``subresource`` ``status`` or empty."""

    manager: str
    api_version: str
    now: str
    subresource: str = ""


class Claim(NamedTuple):
    """One field that somebody else owns: their entry and the field's path."""

    entry: Entry
    field: str


class OwnershipConflict(Exception):
    """Others own fields that this apply wants to change; the message is the API server's."""

    def __init__(self, claims: list[Claim]) -> None:
        super().__init__(_conflict_message(claims))
        self.claims = claims


@dataclass(frozen=True, slots=True)
class Applied:
    """The object after an apply, with its new managed fields beside it."""

    obj: dict[str, Any]
    managed: list[Entry]


def after_write(shape: Shape, old: dict[str, Any], new: dict[str, Any], managed: list[Entry], by: By) -> list[Entry]:
    """The managed fields after a create, update or patch made ``new`` of ``old`` (``{}``: there was nothing).

    Where nobody tracks the fields of an existing object any more, a plain write doesn't begin to.
    """
    if old and not managed:
        return managed
    comparison = compared(shape, *_reduced(old, new, by.subresource))
    if not comparison.changed and not comparison.removed:
        return managed
    mine: Entry | None = None
    kept = []
    for entry in managed:
        if _is_of(entry, by, "Update"):
            mine = entry
        elif (left := _given_up(entry, comparison)) is not None:
            kept.append(left)
    fields = difference(mine["fieldsV1"], comparison.removed) if mine else {}
    fields = union(fields, comparison.changed)
    if fields:
        time = by.now if comparison.changed or mine is None else mine.get("time", by.now)
        kept.append(_entry(by, "Update", fields, time))
    return _in_order(_capped(kept))


def after_apply(
    shape: Shape,
    live: dict[str, Any] | None,
    config: dict[str, Any],
    *,
    managed: list[Entry],
    by: By,
    force: bool = False,
) -> Applied:
    """``config`` merged into ``live`` by ownership. Raises OwnershipConflict unless ``force``.

    Fields that this manager applied before and now left out are removed, unless somebody else owns them too.
    """
    wanted = _part(config, by.subresource)
    claimed = applied_fields(shape, wanted)
    if live is not None and not managed:
        managed = [entry for entry in [_before_first_apply(shape, live, by)] if entry["fieldsV1"]]
    last = next((entry for entry in managed if _is_of(entry, by, "Apply")), None)
    others = [entry for entry in managed if entry is not last]
    result = merged(shape, live, wanted) if live is not None else dict(config)
    if last is not None:
        owned = union(claimed, METADATA)
        for entry in others:
            owned = union(owned, entry["fieldsV1"])
        result = pruned(shape, result, last["fieldsV1"], owned)
    comparison = compared(shape, *_reduced(live or {}, result, by.subresource))
    if not force and (claims := _claims(others, comparison)):
        raise OwnershipConflict(claims)
    kept = [left for entry in others if (left := _given_up(entry, comparison)) is not None]
    if claimed:
        same = last is not None and not comparison.changed and not comparison.removed and last["fieldsV1"] == claimed
        kept.append(last if same and last is not None else _entry(by, "Apply", claimed, by.now))
    return Applied(result, _in_order(kept))


def readable(managed: Any) -> list[Entry] | None:
    """What a client says about managed fields: a list to take over, empty to forget all; None when it says nothing.

    ``[{}]`` is Kubernetes' way to clear them; entries that can't be read count as nothing said.
    """
    if not isinstance(managed, list) or not managed:
        return None
    if managed == [{}]:
        return []
    fits = all(
        isinstance(entry, dict)
        and isinstance(entry.get("fieldsV1"), dict)
        and entry.get("operation") in {"Apply", "Update"}
        and isinstance(entry.get("manager", ""), str)
        for entry in managed
    )
    return managed if fits else None


def _reduced(old: dict[str, Any], new: dict[str, Any], subresource: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return _part(old, subresource), _part(new, subresource)


def _part(obj: dict[str, Any], subresource: str) -> dict[str, Any]:
    """What a write to ``subresource`` is about: status alone, or everything that can be owned."""
    if subresource:
        return {subresource: obj[subresource]} if subresource in obj else {}
    return ownable(obj)


def _is_of(entry: Entry, by: By, operation: Operation) -> bool:
    return (
        entry.get("manager", "") == by.manager
        and entry.get("operation") == operation
        and entry.get("subresource", "") == by.subresource
        and (operation == "Apply" or entry.get("apiVersion") == by.api_version)
    )


def _entry(by: By, operation: Operation, fields: FieldSet, time: str) -> Entry:
    entry = {
        "manager": by.manager,
        "operation": operation,
        "apiVersion": by.api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if by.subresource:
        entry["subresource"] = by.subresource
    return entry


def _given_up(entry: Entry, comparison: Comparison) -> Entry | None:
    """``entry`` without what somebody else changed or removed; None when nothing is left."""
    fields = entry["fieldsV1"]
    left = difference(fields, comparison.changed) if comparison.changed else fields
    left = difference(left, comparison.removed) if comparison.removed else left
    if left is fields:
        return entry
    return {**entry, "fieldsV1": left} if left else None


def _claims(others: list[Entry], comparison: Comparison) -> list[Claim]:
    return [
        Claim(entry, path) for entry in others for path in paths(intersection(entry["fieldsV1"], comparison.changed))
    ]


def _before_first_apply(shape: Shape, live: dict[str, Any], by: By) -> Entry:
    fields = {key: node for key, node in all_fields(shape, _part(live, by.subresource)).items() if key != SELF}
    if "f:metadata" in fields:
        fields["f:metadata"].pop(SELF, None)
    return _entry(By(BEFORE_FIRST_APPLY, by.api_version, by.now, by.subresource), "Update", fields, by.now)


def _in_order(managed: list[Entry]) -> list[Entry]:
    return sorted(managed, key=lambda entry: (entry["operation"], entry.get("time", ""), entry.get("manager", "")))


def _capped(managed: list[Entry]) -> list[Entry]:
    updates = [entry for entry in managed if entry["operation"] == "Update"]
    if len(updates) <= MAX_UPDATE_MANAGERS:
        return managed
    updates.sort(key=lambda entry: (entry.get("time", ""), entry.get("manager", "")))
    oldest = updates[: len(updates) - MAX_UPDATE_MANAGERS + 1]
    by_group: dict[tuple[str, str], Entry] = {}
    for entry in oldest:
        group = (entry.get("apiVersion", ""), entry.get("subresource", ""))
        before = by_group.get(group)
        fields = union(before["fieldsV1"], entry["fieldsV1"]) if before else entry["fieldsV1"]
        by_group[group] = {**entry, "manager": ANCIENT, "fieldsV1": fields}
    gone = {id(entry) for entry in oldest}
    return [entry for entry in managed if id(entry) not in gone] + list(by_group.values())


def _conflict_message(claims: list[Claim]) -> str:
    if len(claims) == 1:
        return f"Apply failed with 1 conflict: conflict with {_described(claims[0].entry)}: {claims[0].field}"
    by_manager: dict[str, list[str]] = {}
    for claim in claims:
        by_manager.setdefault(_described(claim.entry), []).append(claim.field)
    lines = []
    for manager in sorted(by_manager):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {field}" for field in by_manager[manager]]
    return f"Apply failed with {len(claims)} conflicts: " + "\n".join(lines)


def _described(entry: Entry) -> str:
    words = f'"{entry.get("manager", "")}"'
    if entry.get("subresource"):
        words += f' with subresource "{entry["subresource"]}"'
    return words if entry["operation"] == "Apply" else f"{words} using {entry.get('apiVersion', '')}"
