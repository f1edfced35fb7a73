"""The nearest name is the one that difflib would find."""

from __future__ import annotations

from difflib import get_close_matches

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.misspellings import nearest

WORDS = st.text("ab_1", max_size=12) | st.sampled_from(["é", "aaaaaaaaaab", "a" * 70, "step_1", "step_12", "stop_1"])


@given(WORDS, st.lists(WORDS, max_size=12))
def test_it_is_what_difflib_finds(word: str, names: list[str]) -> None:
    assert nearest(word, names) == next(iter(get_close_matches(word, names, n=1, cutoff=0.6)), "")


@pytest.mark.parametrize(
    ("word", "names", "found"),
    [
        ("fetsh", ["fetch", "send"], "fetch"),
        ("stop_17", [f"step_{at}" for at in range(500)], "step_17"),
        ("xyz", ["abc"], ""),
        ("anything", [], ""),
    ],
)
def test_the_nearest_name_is_found(word: str, names: list[str], found: str) -> None:
    assert nearest(word, names) == found
