"""Conditions as Kubernetes' API conventions have them: the one place that knows their mechanics.

A reconciler states facts; ``settle`` turns them into the list of a status: sorted by type, each with the generation it was
observed at, the transition time moved when the status flips and only then. What is abnormal when true (``Stalled``,
``HeldByHand``, ...) is left out while it is false, so a healthy object is short. A condition that is not stated any more goes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sluice.api.fields import Condition
from sluice.api.reasons import ConditionType, Reason
from sluice.domain.timestamps import stamp

MESSAGE_LIMIT: Final = 4096
"""Characters; the schema refuses more."""

ABNORMAL: Final = frozenset(
    {
        ConditionType.RECONCILING,
        ConditionType.STALLED,
        ConditionType.DRAFT_PENDING,
        ConditionType.DRAFT_BEHIND,
        ConditionType.VERSION_PENDING_APPROVAL,
        ConditionType.TRIGGER_PENDING,
        ConditionType.HELD_BY_HAND,
        ConditionType.PARAMS_MISSING,
        ConditionType.CANDIDATE_STARVED,
        ConditionType.GATE_STARVING,
        ConditionType.PAUSED,
        ConditionType.SLA_BREACHED,
    }
)
"""Types that are there only while they are true."""


@dataclass(frozen=True, slots=True)
class Because:
    """A reason and what to tell people."""

    reason: Reason
    message: str = ""


class Conditions:
    """Collects what is true of an object, then settles it against what its status said before."""

    def __init__(self) -> None:
        self._stated: dict[ConditionType, tuple[str, Because]] = {}

    def true(self, type: ConditionType, reason: Reason, message: str = "") -> Conditions:
        """State that it is so; the last word on a type counts."""
        return self._state(type, "True", Because(reason, message))

    def false(self, type: ConditionType, reason: Reason, message: str = "") -> Conditions:
        """State that it is not so."""
        return self._state(type, "False", Because(reason, message))

    def unknown(self, type: ConditionType, reason: Reason, message: str = "") -> Conditions:
        """State that it can't be told yet."""
        return self._state(type, "Unknown", Because(reason, message))

    def is_true(self, type: ConditionType) -> bool:
        """Whether it was stated to be so."""
        return type in self._stated and self._stated[type][0] == "True"

    def settle(self, previous: Sequence[Condition], *, generation: int, now: dt.datetime) -> list[Condition]:
        """The list for the status; an equal one comes out when nothing changed."""
        before = {condition.type: condition for condition in previous}
        return [
            _settled(type, status, because, _Observed(before.get(type), generation, now))
            for type, (status, because) in sorted(self._stated.items())
            if not (type in ABNORMAL and status == "False")
        ]

    def _state(self, type: ConditionType, status: str, because: Because) -> Conditions:
        self._stated[type] = (status, because)
        return self


@dataclass(frozen=True, slots=True)
class _Observed:
    before: Condition | None
    generation: int
    now: dt.datetime


def derive_ready(
    conditions: Conditions, ready: Because, *, reconciling: Because | None = None, stalled: Because | None = None
) -> None:
    """State Ready, Reconciling and Stalled as kstatus reads them: stalled wins over reconciling, that over ready."""
    hindrance = stalled or reconciling
    if hindrance is None:
        conditions.true(ConditionType.READY, ready.reason, ready.message)
    else:
        conditions.false(ConditionType.READY, hindrance.reason, hindrance.message)
    if stalled is not None:
        conditions.true(ConditionType.STALLED, stalled.reason, stalled.message)
    elif reconciling is not None:
        conditions.true(ConditionType.RECONCILING, reconciling.reason, reconciling.message)


def _settled(type: ConditionType, status: str, because: Because, observed: _Observed) -> Condition:
    before = observed.before
    same = before is not None and before.status == status
    return Condition(
        type=type.value,
        status=status,
        reason=because.reason.value,
        message=capped(because.message),
        observed_generation=observed.generation,
        last_transition_time=before.last_transition_time if before and same else stamp(observed.now),
    )


def capped(message: str) -> str:
    """A message that fits, with an ellipsis where it was cut, and that UTF-8 can spell."""
    message = message.encode("utf-8", "replace").decode()
    return message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
