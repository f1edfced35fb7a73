from __future__ import annotations

import pytest

from sluice.domain.tallies import BOUNDS, Durations, Tally


def test_what_happened_is_counted_by_its_labels_and_told_in_their_order() -> None:
    tally = Tally()
    for labels in (("b",), ("a",), ("b",)):
        tally.add(*labels)
    assert tally.all() == [(("a",), 1), (("b",), 2)]


@pytest.mark.parametrize(
    ("seconds", "reached"), [(0.0, len(BOUNDS)), (BOUNDS[0], len(BOUNDS)), (0.0051, len(BOUNDS) - 1), (61.0, 0)]
)
def test_a_duration_counts_for_each_bound_that_it_is_not_above(seconds: float, reached: int) -> None:
    durations = Durations()
    durations.add(seconds)
    counts = [count for _, count in durations.buckets()]
    assert sum(counts[:-1]) == reached
    assert counts[-1] == 1
    assert durations.total == seconds


def test_the_last_bound_has_all_of_them() -> None:
    durations = Durations()
    for seconds in (0.001, 3.0, 1000.0):
        durations.add(seconds)
    assert durations.buckets()[-1] == ("+Inf", 3.0)
    assert dict(durations.buckets())["5.0"] == 2.0
