"""The sticky split (C17): published vectors; ramps only ever add keys; nobody is always first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.routing.hash import place, salt_of, takes

VECTORS = json.loads((Path(__file__).parent / "vectors" / "hash.json").read_text())
SALT = salt_of("uid-1", 7, "sha256:aa")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
KEYS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: f"v{case['number']}-{case['key']!r}")
def test_published_vectors_fix_the_place_of_a_key(case):
    salt = salt_of(case["workflow_uid"], case["number"], case["digest"])
    assert place(salt, case["key"]) == case["place"]


@given(KEYS, st.integers(0, 10_000), st.integers(0, 10_000))
def test_raising_the_percentage_only_adds_keys(key: object, one: int, other: int):
    low, high = sorted((one, other))
    assert takes(SALT, key, high) or not takes(SALT, key, low)


@given(KEYS)
def test_no_key_strays_at_0_and_at_100_percent(key: object):
    assert not takes(SALT, key, 0)
    assert takes(SALT, key, 10_000)


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_map_keys_does_not_matter(key: dict[str, int]):
    assert place(SALT, key) == place(SALT, dict(reversed(key.items())))


def test_a_key_that_was_early_once_is_not_early_always():
    keys = [f"customer-{n}" for n in range(2000)]
    first = {key for key in keys if takes(SALT, key, 1000)}
    second = {key for key in keys if takes(salt_of("uid-1", 8, "sha256:bb"), key, 1000)}
    assert len(first & second) < len(first) / 3


def test_the_same_content_under_a_new_number_draws_anew():
    assert [place(SALT, n) for n in range(5)] != [place(salt_of("uid-1", 8, "sha256:aa"), n) for n in range(5)]


@pytest.mark.parametrize("percent", [1, 10, 50, 90])
def test_the_share_of_many_keys_is_near_the_percentage(percent):
    hits = sum(takes(SALT, f"customer-{n}", percent * 100) for n in range(20_000))
    assert abs(hits / 200 - percent) < 1.5


def test_numbers_that_json_holds_equal_are_one_key_and_text_is_another():
    assert place(SALT, {"id": 1.0}) == place(SALT, {"id": 1})
    assert place(SALT, 1) != place(SALT, "1")
    assert place(SALT, True) != place(SALT, 1)
