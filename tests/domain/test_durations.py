from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain import durations

LONGEST = 999_999_999 * durations.UNITS["d"]


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0s", 0),
        ("500ms", 500_000),
        ("1.5s", 1_500_000),
        ("90s", 90_000_000),
        ("1h30m", 5_400_000_000),
        ("30d", 2_592_000_000_000),
        ("0.1ms", 100),
        ("1m1m", 120_000_000),
    ],
)
def test_a_duration_is_read_to_the_microsecond(text, micros):
    assert durations.microseconds(text) == micros
    assert durations.parse(text) == dt.timedelta(microseconds=micros)


@pytest.mark.parametrize("wrong", ["", "5", "h", "-1s", "1h 30m", "1,5s", "1w", "1H", " 1s", "1s\n", "1.s", "٣s"])
def test_what_is_no_duration_is_refused_with_an_example(wrong):
    with pytest.raises(ValueError, match="such as 1h30m"):
        durations.microseconds(wrong)


def test_what_no_timedelta_holds_is_refused():
    with pytest.raises(ValueError, match="too long"):
        durations.parse("9999999999d")


def test_a_bounded_duration_keeps_every_time_of_day_within_the_calendar():
    assert durations.bounded("99999999999999d") == dt.timedelta(days=36_500)
    assert durations.bounded("1h") == dt.timedelta(hours=1)


@given(st.integers(0, LONGEST // 1000).map(lambda millis: millis * 1000))
def test_a_spelled_duration_reads_back(micros: int):
    assert durations.microseconds(durations.text_of(micros)) == micros


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0s"), (dt.timedelta(hours=1, minutes=30), "1h30m"), (61_000_000, "1m1s"), (999, "0s")]
)
def test_the_shortest_spelling_is_chosen(length, text):
    assert durations.text_of(length) == text


def test_a_negative_length_has_no_spelling():
    with pytest.raises(ValueError, match="never negative"):
        durations.text_of(-1)


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0s"), (3_500, "3ms"), (59_400_000, "59s"), (93_784_000_000, "1d2h"), (7_500_000_000, "2h5m"), (-5, "0s")],
)
def test_a_rough_spelling_has_two_units_at_most(length, text):
    assert durations.rough(length) == text


@pytest.mark.parametrize(("text", "micros"), [("500ms", 500_000), ("0.1ms", 100), ("", 0), (None, 0)])
def test_where_no_duration_is_written_there_is_no_bound(text, micros):
    assert durations.microseconds_or_none(text) == micros


@pytest.mark.parametrize("text", ["5", "1 h", "-1s", "1w", "s", "1e3s"])
def test_a_bound_that_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="no duration"):
        durations.microseconds_or_none(text)
