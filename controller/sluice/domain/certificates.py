"""When the controller's own certificates are due: plain dates in, what to do out.

Those who trust an authority learn of a new one only now and then, and a run's pod never does. So nothing is signed by a
new authority at once: when it is made, the old one signs one more serving certificate, and the new one signs the next,
two months later. A pod that was started before and is still there then can't come back after its connection broke.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

AUTHORITY_LASTS: Final = dt.timedelta(days=3650)
RENEWED_BEFORE: Final = dt.timedelta(days=365)
"""An authority has a successor so long before its end."""
SERVING_LASTS: Final = dt.timedelta(days=90)
"""A serving certificate; it is renewed at two thirds of its life."""
BACKDATED: Final = dt.timedelta(hours=1)
"""Certificates are valid from an hour before they are made: other machines' clocks may be behind."""


class Due(StrEnum):
    """What is to be made now."""

    NOTHING = "nothing"
    SERVING = "a serving certificate"
    AUTHORITY = "an authority"


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate is valid."""

    begins: dt.datetime
    ends: dt.datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due now, and when something is next if nothing is."""

    due: Due
    next: dt.datetime


def plan(authority: Validity | None, serving: Validity | None, now: dt.datetime) -> Plan:
    """What is due, of what is there and in order; None stands for what is not.

    What is not valid yet is left alone: then it is this clock that is behind.
    """
    if authority is None or now >= authority.ends - RENEWED_BEFORE:
        return Plan(Due.AUTHORITY, now)
    if serving is None or now >= renewal(serving):
        return Plan(Due.SERVING, now)
    return Plan(Due.NOTHING, min(renewal(serving), authority.ends - RENEWED_BEFORE))


def renewal(serving: Validity) -> dt.datetime:
    """When a serving certificate is renewed."""
    return serving.begins + (serving.ends - serving.begins) * 2 / 3


def signs_once_more(old: Validity | None, now: dt.datetime) -> bool:
    """Whether an old authority signs a last serving certificate while its successor becomes known."""
    return old is not None and old.begins <= now < old.ends - dt.timedelta(days=1)


def authority_validity(now: dt.datetime) -> Validity:
    """Of an authority that is made now."""
    return Validity(now - BACKDATED, now + AUTHORITY_LASTS)


def serving_validity(authority: Validity, now: dt.datetime) -> Validity:
    """Of a serving certificate that is made now: never outside its authority's, or nobody accepts it."""
    return Validity(max(now - BACKDATED, authority.begins), min(now + SERVING_LASTS, authority.ends))
