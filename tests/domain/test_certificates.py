from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.certificates import (
    AUTHORITY_LASTS,
    Due,
    Plan,
    Validity,
    authority_validity,
    plan,
    renewal,
    serving_validity,
    signs_once_more,
)

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def valid(begins: float, ends: float) -> Validity:
    """From and until so many days after the start."""
    return Validity(START + begins * DAY, START + ends * DAY)


@pytest.mark.parametrize(
    ("authority", "serving", "due"),
    [
        (None, None, Due.AUTHORITY),
        (None, valid(-1, 89), Due.AUTHORITY),
        (valid(-1, 3649), None, Due.SERVING),
        (valid(-1, 3649), valid(-1, 89), Due.NOTHING),
        (valid(-60, 3590), valid(-60, 30), Due.SERVING),
        (valid(-60, 3590), valid(-59.9, 30.1), Due.NOTHING),
        (valid(-60, 3590), valid(-100, -10), Due.SERVING),
        (valid(-3285, 365), valid(-1, 89), Due.AUTHORITY),
        (valid(-3284, 366), valid(-1, 89), Due.NOTHING),
        (valid(-4000, -350), valid(-100, -10), Due.AUTHORITY),
        (valid(1, 3651), valid(1, 91), Due.NOTHING),
    ],
)
def test_what_is_due_is_decided_by_the_dates_alone(authority, serving, due):
    assert plan(authority, serving, START).due == due


def test_what_is_next_is_whatever_comes_first():
    assert plan(valid(0, 3650), valid(0, 90), START) == Plan(Due.NOTHING, START + 60 * DAY)
    assert plan(valid(0, 375), valid(0, 90), START) == Plan(Due.NOTHING, START + 10 * DAY)


@pytest.mark.parametrize(
    ("old", "signs"),
    [
        (None, False),
        (valid(-3285, 365), True),
        (valid(-3285, 2), True),
        (valid(-3285, 1), False),
        (valid(-9, -1), False),
    ],
)
def test_an_old_authority_signs_once_more_while_it_lasts(old, signs):
    assert signs_once_more(old, START) is signs


def test_a_serving_certificate_never_outlives_its_authority():
    assert serving_validity(valid(-3285, 30), START).ends == START + 30 * DAY
    assert serving_validity(valid(0, 3650), START) == Validity(START, START + 90 * DAY)


class Certificates:
    """What a controller has made so far: authorities and since when each is known, and what is served by which."""

    def __init__(self, now):
        self.authorities = [authority_validity(now)]
        self.known = [now]
        self.signer = 0
        self.serving = serving_validity(self.authorities[0], now)

    def look(self, now):
        newest = self.authorities[-1]
        match plan(newest, self.serving, now).due:
            case Due.AUTHORITY:
                self.authorities.append(authority_validity(now))
                self.known.append(now)
                self._serve(len(self.authorities) - (2 if signs_once_more(newest, now) else 1), now)
            case Due.SERVING:
                self._serve(len(self.authorities) - 1, now)

    def _serve(self, signer, now):
        self.signer = signer
        self.serving = serving_validity(self.authorities[signer], now)


def test_for_thirty_years_nothing_is_served_that_was_not_announced_two_months_before():
    made = Certificates(START)
    for day in range(1, 30 * 365):
        now = START + day * DAY
        made.look(now)
        assert made.signer == 0 or now - made.known[made.signer] >= 59 * DAY
    assert len(made.authorities) == 4


@given(st.lists(st.floats(0.01, 1500), min_size=1, max_size=200))
def test_whenever_a_controller_looks_it_serves_what_is_valid(pauses):
    now, made = START, Certificates(START)
    for pause in pauses:
        now += pause * DAY
        made.look(now)
        signer = made.authorities[made.signer]
        assert made.serving.begins <= now < renewal(made.serving)
        assert signer.begins <= made.serving.begins < made.serving.ends <= signer.ends
        assert plan(made.authorities[-1], made.serving, now).due == Due.NOTHING
        assert len(made.authorities) <= 2 + (now - START) / (AUTHORITY_LASTS - 365 * DAY)


@given(st.floats(0.01, 5000), st.floats(0.01, 120))
def test_nothing_is_due_before_what_is_next(authority_days, serving_days):
    authority, serving = valid(0, authority_days), valid(0, serving_days)
    made = plan(authority, serving, START)
    if made.due == Due.NOTHING:
        assert plan(authority, serving, made.next - dt.timedelta(microseconds=1)).due == Due.NOTHING
        assert plan(authority, serving, made.next).due != Due.NOTHING
