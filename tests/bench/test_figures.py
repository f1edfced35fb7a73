"""The arithmetic of a comparison: what is printed as a ratio is one."""

from __future__ import annotations

import pytest
from bench.figures import Measure, Spread, compared, percentile, pooled, ratio, spread, table
from hypothesis import given
from hypothesis import strategies as st

RATE = Measure("many", "runs", "runs/s", more_is_better=True, digits=0)
TIME = Measure("chain", "steps", "ms", scale=1000)
SIDES = {
    "ours": [{"many": [400.0, 500.0], "chain": 0.02}, {"many": [450.0], "chain": 0.04}],
    "peer": [{"many": [50.0], "chain": 0.1}, {"many": [40.0], "chain": 0.2}],
}
samples = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1)


def test_a_percentile_is_one_of_the_values_by_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0, 1, 50, 99, 100)] == [1, 1, 50, 99, 100]
    assert percentile([7.0], 99) == 7.0


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        percentile([], 50)
    with pytest.raises(ValueError, match="at least one value"):
        spread([])


@given(samples, st.floats(min_value=0, max_value=100))
def test_a_percentile_lies_between_least_and_most(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values)


@given(samples)
def test_a_spread_is_in_order(values: list[float]) -> None:
    found = spread(values)
    assert found.least <= found.median <= found.most


def test_a_ratio_says_how_many_times_better_we_are() -> None:
    assert ratio(500, 50, more_is_better=True) == 10
    assert ratio(10, 50, more_is_better=False) == 5
    assert ratio(100, 50, more_is_better=False) == 0.5
    assert ratio(0, 50, more_is_better=False) == float("inf")


def test_samples_of_all_rounds_are_pooled_in_the_unit_of_the_measure() -> None:
    assert pooled(SIDES["ours"], RATE) == [400, 500, 450]
    assert pooled(SIDES["ours"], TIME) == [20, 40]
    assert pooled([{}], RATE) == []


def test_medians_are_compared_with_those_of_the_peer_round_by_round() -> None:
    rate, time = compared(SIDES, [RATE, TIME], "peer")
    assert rate["spreads"]["ours"] == Spread(450, 400, 500)
    assert rate["ratios"] == {"ours": Spread(10.125, 9, 11.25)}
    assert time["ratios"]["ours"].median == pytest.approx(5)


def test_a_loud_round_does_not_change_what_the_others_say() -> None:
    """One side's loud rounds are not the other's; the medians over all rounds would be set against each other."""
    ours = [{"many": 100.0}, {"many": 100.0}, {"many": 10.0}]
    peer = [{"many": 50.0}, {"many": 5.0}, {"many": 5.0}]
    (record,) = compared({"ours": ours, "peer": peer}, [RATE], "peer")
    assert record["ratios"] == {"ours": Spread(2, 2, 20)}


def test_what_a_side_did_not_measure_has_no_ratio() -> None:
    (record,) = compared({"ours": [{}], "peer": [{"many": 50.0}]}, [RATE], "peer")
    assert record["ratios"] == {}
    assert set(record["spreads"]) == {"peer"}


def test_the_table_has_a_row_for_each_measure_and_ends_with_the_ratio() -> None:
    told = table(compared(SIDES, [RATE, TIME], "peer"), ["ours", "peer"], "peer").splitlines()
    assert told[0] == "|  | ours | peer | ours : peer |"
    assert told[2] == "| runs, runs/s | 450 (400 to 500) | 45 (40 to 50) | 10.1 (9.0 to 11.2) |"
    assert told[3] == "| steps, ms | 30.0 (20.0 to 40.0) | 150.0 (100.0 to 200.0) | 5.0 (5.0 to 5.0) |"
