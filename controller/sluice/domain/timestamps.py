"""Times of day as statuses spell them: RFC 3339 in UTC with a ``Z``."""

from __future__ import annotations

import datetime as dt
from typing import Final

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def stamp(moment: dt.datetime) -> str:
    """To the second, as Kubernetes' own times are."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(moment: dt.datetime) -> str:
    """To the microsecond: where a second would make a pause too short or an order unclear."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(text: str) -> dt.datetime:
    """The moment that an RFC 3339 text means, in UTC; ValueError names the text."""
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time; write it as 2026-01-31T08:00:00Z") from error
    raise ValueError(f"{text!r} has no time zone; write it as 2026-01-31T08:00:00Z")


def from_micros(micros: int) -> dt.datetime:
    """The aware moment so many microseconds after the epoch."""
    return EPOCH + dt.timedelta(microseconds=micros)


def to_micros(moment: dt.datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1)
