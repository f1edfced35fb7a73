"""The exact split (R038, R039): published vectors, and every percentage there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.routing.quota import is_candidate, percent_hundredths, percent_text

VECTORS = json.loads((Path(__file__).parent / "vectors" / "quota.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["percent"])
def test_published_vectors_fix_which_draws_go_to_the_candidate(case):
    everything = set(range(1, VECTORS["draws"] + 1))
    wanted = set(case["candidate"]) if "candidate" in case else everything - set(case["stable"])
    assert {n for n in everything if is_candidate(n, case["hundredths"])} == wanted
    assert percent_hundredths(case["percent"]) == case["hundredths"]
    assert percent_text(case["hundredths"]) == case["percent"]


@pytest.mark.parametrize("percent", range(101))
def test_every_whole_percentage_is_exact_over_a_thousand_draws(percent):
    assert sum(is_candidate(n, percent * 100) for n in range(1, 1001)) == percent * 10


@given(st.integers(0, 10_000), st.integers(0, 1000))
def test_every_hundredth_is_exact_after_every_draw(hundredths: int, draws: int):
    assert sum(is_candidate(n, hundredths) for n in range(1, draws + 1)) == draws * hundredths // 10_000


@given(st.integers(1, 10**9))
def test_no_run_strays_at_0_and_at_100_percent(n: int):
    assert not is_candidate(n, 0)
    assert is_candidate(n, 10_000)


def test_of_20_runs_at_10_percent_two_go_to_the_candidate():
    assert [n for n in range(1, 21) if is_candidate(n, 1000)] == [10, 20]


@given(st.integers(0, 10_000))
def test_a_percentage_reads_back_as_it_was_spelled(hundredths: int):
    assert percent_hundredths(percent_text(hundredths)) == hundredths


@pytest.mark.parametrize(
    ("spelling", "hundredths"), [(0, 0), (25, 2500), (100, 10_000), ("0.5", 50), ("7.50", 750), ("100.00", 10_000)]
)
def test_every_spelling_of_a_percentage_is_read(spelling, hundredths):
    assert percent_hundredths(spelling) == hundredths


@pytest.mark.parametrize("wrong", [-1, 101, True, 0.5, "", "100.01", "1.234", "5%", "1e1", " 5", "-0", "٣"])
def test_what_is_no_percentage_is_refused_with_what_to_write(wrong):
    with pytest.raises(ValueError, match="write 0 to 100"):
        percent_hundredths(wrong)
