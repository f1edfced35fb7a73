"""How fast one process may ask."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.adapters.kubernetes.pacing import Pace

ROUNDING = 1e-6


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_goes_at_once_and_the_rest_in_turn() -> None:
    pace = Pace(10, 3, monotonic=Clock())
    assert [round(pace.reserve(), 3) for _ in range(5)] == [0, 0, 0, 0.1, 0.2]


def test_what_was_not_used_is_kept_up_to_a_burst() -> None:
    clock = Clock()
    pace = Pace(10, 2, monotonic=clock)
    clock.now = 1000.0
    assert [round(pace.reserve(), 3) for _ in range(3)] == [0, 0, 0.1]


@given(
    st.floats(0.5, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 2), min_size=1, max_size=200),
)
def test_never_more_than_the_rate_and_one_burst(qps: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    pace = Pace(qps, burst, monotonic=clock)
    starts = []
    for pause in pauses:
        clock.now += pause
        starts.append(clock.now + pace.reserve())
    assert all(later > earlier - ROUNDING for earlier, later in pairwise(starts))
    for first, begun in enumerate(starts):
        within = sum(1 for start in starts[first:] if start <= begun + 1)
        assert within <= qps + burst + 1


@pytest.mark.parametrize(("qps", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_that_lets_nothing_through_is_refused(qps: float, burst: int) -> None:
    with pytest.raises(ValueError, match="qps must be above 0"):
        Pace(qps, burst)
