"""Sets of fields are sets: held against plain sets of paths."""

from __future__ import annotations

from hypothesis import given

from sluice.domain.objects.fieldsets import FieldSet, contains, difference, intersection, is_member, paths, union
from tests.domain.objects.strategies import field_sets


def members(fields: FieldSet, prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The paths in a field set, the plain way."""
    found: set[tuple[str, ...]] = set()
    for key, node in fields.items():
        if key == ".":
            continue
        path = (*prefix, key)
        if is_member(node):
            found.add(path)
        found |= members(node, path)
    return found


@given(field_sets, field_sets)
def test_union_is_a_union(one: FieldSet, other: FieldSet) -> None:
    assert members(union(one, other)) == members(one) | members(other)


@given(field_sets, field_sets)
def test_difference_is_a_difference(one: FieldSet, other: FieldSet) -> None:
    assert members(difference(one, other)) == members(one) - members(other)


@given(field_sets, field_sets)
def test_intersection_is_an_intersection(one: FieldSet, other: FieldSet) -> None:
    assert members(intersection(one, other)) == members(one) & members(other)


@given(field_sets, field_sets)
def test_contains_is_a_superset(one: FieldSet, other: FieldSet) -> None:
    assert contains(one, other) == (members(one) >= members(other))


@given(field_sets, field_sets)
def test_nothing_is_changed_in_place(one: FieldSet, other: FieldSet) -> None:
    before = repr((one, other))
    union(one, other)
    difference(one, other)
    intersection(one, other)
    assert repr((one, other)) == before


@given(field_sets)
def test_an_empty_set_changes_nothing(fields: FieldSet) -> None:
    assert union(fields, {}) == fields
    assert difference(fields, {}) is fields
    assert members(difference(fields, fields)) == set()


def test_paths_are_written_as_the_api_server_writes_them() -> None:
    fields = {
        "f:spec": {
            "f:steps": {'k:{"name":"x","port":80}': {".": {}, "f:retries": {}}},
            "f:tags": {'v:"a"': {}},
            "f:percent": {},
        }
    }
    assert list(paths(fields)) == [
        ".spec.percent",
        '.spec.steps[name="x",port=80]',
        '.spec.steps[name="x",port=80].retries',
        '.spec.tags[="a"]',
    ]
