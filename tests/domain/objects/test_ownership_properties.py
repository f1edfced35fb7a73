"""What holds of field ownership whatever is applied, over random objects and histories."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.objects.comparison import applied_fields, compared, ownable
from sluice.domain.objects.fieldsets import contains, intersection
from sluice.domain.objects.ownership import Applied, By, Claim, Entry, OwnershipConflict, after_apply, after_write
from tests.domain.objects.strategies import SHAPE, managers, objects

NOW = "2026-03-01T12:00:00Z"
Obj = dict[str, Any]


def by(manager: str) -> By:
    return By(manager, "v1", NOW)


def history(writes: list[tuple[str, Obj, bool]]) -> tuple[Obj, list[Entry]]:
    """An object after some writes: (manager, object, whether it is applied by force)."""
    live: Obj = {}
    managed: list[Entry] = []
    for manager, obj, applies in writes:
        if applies:
            applied = after_apply(SHAPE, live or None, obj, managed=managed, by=by(manager), force=True)
            live, managed = applied.obj, applied.managed
        else:
            managed = after_write(SHAPE, live, obj, managed, by(manager))
            live = obj
    return live, managed


def conflicts(live: Obj, config: Obj, managed: list[Entry]) -> list[Claim]:
    """What stands in the way of bob's apply."""
    try:
        after_apply(SHAPE, live, config, managed=managed, by=by("bob"))
    except OwnershipConflict as error:
        return error.claims
    return []


histories = st.lists(st.tuples(managers, objects, st.booleans()), min_size=1, max_size=5).map(history)


def names_entries(config: Obj) -> bool:
    """True if no list of entries in ``config`` is empty."""
    return config["spec"].get("steps") != [] and config["spec"].get("tags") != []


def again(applied: Applied, config: Obj, manager: str) -> Applied:
    """The same apply once more, later."""
    later = By(manager, "v1", "2030-01-01T00:00:00Z")
    return after_apply(SHAPE, applied.obj, config, managed=applied.managed, by=later, force=True)


@settings(deadline=None)
@given(histories, objects.filter(names_entries), managers)
def test_applying_twice_is_applying_once(past: tuple[Obj, list[Entry]], config: Obj, manager: str) -> None:
    live, managed = past
    once = after_apply(SHAPE, live, config, managed=managed, by=by(manager), force=True)
    assert again(once, config, manager) == once


@settings(deadline=None)
@given(histories, objects, managers)
def test_whatever_is_applied_settles_at_the_second_time(
    past: tuple[Obj, list[Entry]], config: Obj, manager: str
) -> None:
    """An empty list of entries names no entry and owns nothing, on kube-apiserver too: it may come back once."""
    live, managed = past
    twice = again(after_apply(SHAPE, live, config, managed=managed, by=by(manager), force=True), config, manager)
    third = again(twice, config, manager)
    assert (third.obj, [entry["fieldsV1"] for entry in third.managed]) == (
        twice.obj,
        [entry["fieldsV1"] for entry in twice.managed],
    )


@settings(deadline=None)
@given(histories, objects.filter(names_entries), managers)
def test_what_is_applied_is_there_and_owned(past: tuple[Obj, list[Entry]], config: Obj, manager: str) -> None:
    live, managed = past
    applied = after_apply(SHAPE, live, config, managed=managed, by=by(manager), force=True)
    repeated = after_apply(SHAPE, applied.obj, config, managed=[], by=by("nobody"), force=True)
    assert not any(compared(SHAPE, ownable(applied.obj), ownable(repeated.obj)))
    mine = [
        entry["fieldsV1"] for entry in applied.managed if entry["manager"] == manager and entry["operation"] == "Apply"
    ]
    assert mine == ([claimed] if (claimed := applied_fields(SHAPE, ownable(config))) else [])


@settings(deadline=None)
@given(objects, objects)
def test_disjoint_managers_never_conflict(one: Obj, other: Obj) -> None:
    first = after_apply(SHAPE, None, one, managed=[], by=by("ana"))
    mine, theirs = (applied_fields(SHAPE, ownable(obj)) for obj in (one, other))
    if intersection(mine, theirs):
        return
    second = after_apply(SHAPE, first.obj, other, managed=first.managed, by=by("bob"))
    owned = {entry["manager"]: entry["fieldsV1"] for entry in second.managed}
    assert contains(owned.get("ana", {}), mine)


@settings(deadline=None)
@given(objects, objects)
def test_a_conflict_is_over_a_field_of_both_and_force_solves_it(one: Obj, other: Obj) -> None:
    first = after_apply(SHAPE, None, one, managed=[], by=by("ana"))
    claims = conflicts(first.obj, other, first.managed)
    both = intersection(
        applied_fields(SHAPE, ownable(one)), compared(SHAPE, ownable(first.obj), ownable(other)).changed
    )
    assert all(claim.entry["manager"] == "ana" for claim in claims)
    assert not claims or both
    forced = after_apply(SHAPE, first.obj, other, managed=first.managed, by=by("bob"), force=True)
    after_apply(SHAPE, forced.obj, other, managed=forced.managed, by=by("bob"))


@settings(deadline=None)
@given(histories, managers)
def test_giving_everything_up_leaves_what_others_own(past: tuple[Obj, list[Entry]], manager: str) -> None:
    live, managed = past
    left = after_apply(SHAPE, live, {}, managed=managed, by=by(manager), force=True)
    assert all(entry["manager"] != manager or entry["operation"] == "Update" for entry in left.managed)
    others = [entry for entry in managed if entry["manager"] != manager and entry["operation"] == "Apply"]
    kept = {entry["manager"] for entry in left.managed}
    assert {entry["manager"] for entry in others} <= kept


@settings(deadline=None)
@given(histories, objects, managers)
def test_nothing_is_changed_in_place(past: tuple[Obj, list[Entry]], config: Obj, manager: str) -> None:
    before = copy.deepcopy((past, config))
    live, managed = past
    after_apply(SHAPE, live, config, managed=managed, by=by(manager), force=True)
    after_write(SHAPE, live, config, managed, by(manager))
    assert (past, config) == before


@settings(deadline=None)
@given(objects, objects)
def test_a_write_claims_exactly_what_differs(old: Obj, new: Obj) -> None:
    managed = after_write(SHAPE, {}, old, [], by("ana"))
    after = after_write(SHAPE, old, new, managed, by("bob"))
    comparison = compared(SHAPE, ownable(old), ownable(new))
    bob = [entry["fieldsV1"] for entry in after if entry["manager"] == "bob"]
    if managed:
        assert bob == ([comparison.changed] if comparison.changed else [])
