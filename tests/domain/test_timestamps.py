from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.timestamps import fine_stamp, from_micros, parse_stamp, stamp, to_micros

MOMENTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9000, 1, 1), timezones=st.just(dt.UTC))


@given(MOMENTS)
def test_a_fine_stamp_reads_back_exactly_and_a_stamp_to_the_second(moment: dt.datetime):
    assert parse_stamp(fine_stamp(moment)) == moment
    assert parse_stamp(stamp(moment)) == moment.replace(microsecond=0)
    assert from_micros(to_micros(moment)) == moment


@given(MOMENTS, MOMENTS)
def test_fine_stamps_sort_as_their_moments_do(one: dt.datetime, other: dt.datetime):
    assert (fine_stamp(one) < fine_stamp(other)) == (one < other)


def test_a_stamp_is_in_utc_with_a_z():
    berlin = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert stamp(berlin) == "2026-03-01T08:00:00Z"


@pytest.mark.parametrize(
    "wrong", ["", "tomorrow", "2026-03-01T08:00:00", "2026-13-01T08:00:00Z", "9999-12-31T23:59:59-01:00"]
)
def test_what_is_no_time_is_refused_with_an_example(wrong):
    with pytest.raises(ValueError, match="write it as 2026-01-31T08:00:00Z"):
        parse_stamp(wrong)
