"""The mechanics of conditions, and how Ready is derived (kstatus)."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from sluice.api.fields import Condition
from sluice.api.reasons import ConditionType, Reason
from sluice.domain.conditions import ABNORMAL, MESSAGE_LIMIT, Because, Conditions, derive_ready

NOW = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)


def settle(conditions: Conditions, before: list[Condition] | None = None, now: dt.datetime = NOW) -> list[Condition]:
    return conditions.settle(before or [], generation=7, now=now)


def test_conditions_are_sorted_by_type_and_carry_the_generation():
    stated = (
        Conditions()
        .true(ConditionType.PUBLISHED, Reason.PUBLISHED)
        .false(ConditionType.DRAFT_VALID, Reason.DRAFT_INVALID)
    )
    found = settle(stated)
    assert [condition.type for condition in found] == ["DraftValid", "Published"]
    assert {condition.observed_generation for condition in found} == {7}


def test_the_transition_time_moves_when_the_status_flips_and_only_then():
    first = settle(Conditions().true(ConditionType.READY, Reason.SUCCEEDED, "v1"))
    same = settle(Conditions().true(ConditionType.READY, Reason.COMPLETED, "v2"), first, LATER)
    assert (same[0].reason, same[0].message) == ("Completed", "v2")
    assert same[0].last_transition_time == "2026-03-01T08:00:00Z"
    flipped = settle(Conditions().unknown(ConditionType.READY, Reason.PROGRESSING), same, LATER)
    assert flipped[0].last_transition_time == "2026-03-01T08:05:00Z"


def test_what_is_abnormal_when_true_is_absent_when_healthy():
    stated = Conditions().false(ConditionType.STALLED, Reason.SUCCEEDED).false(ConditionType.READY, Reason.NO_VERSION)
    assert [condition.type for condition in settle(stated)] == ["Ready"]


def test_a_condition_that_is_not_stated_any_more_goes():
    before = settle(Conditions().true(ConditionType.GATE_STARVING, Reason.GATE_STARVING))
    assert settle(Conditions(), before) == []


def test_the_last_word_on_a_type_counts():
    stated = Conditions().true(ConditionType.READY, Reason.SUCCEEDED).false(ConditionType.READY, Reason.NO_VERSION)
    assert [condition.status for condition in settle(stated)] == ["False"]


@given(st.characters(), st.integers(0, MESSAGE_LIMIT + 5))
def test_a_message_always_fits(character: str, length: int):
    message = character * length
    found = settle(Conditions().true(ConditionType.READY, Reason.SUCCEEDED, message))[0].message
    assert len(found) <= MESSAGE_LIMIT
    assert found == message.encode("utf-8", "replace").decode() or found.endswith("…")


@given(st.dictionaries(st.sampled_from(list(ConditionType)), st.tuples(st.booleans(), st.sampled_from(list(Reason)))))
def test_settling_twice_changes_nothing(facts: dict[ConditionType, tuple[bool, Reason]]):
    def stated() -> Conditions:
        conditions = Conditions()
        for type, (status, reason) in facts.items():
            (conditions.true if status else conditions.false)(type, reason, "why")
        return conditions

    first = settle(stated())
    assert settle(stated(), first, LATER) == first
    assert not [condition for condition in first if condition.type in ABNORMAL and condition.status == "False"]


def derived(**hindrances: Because) -> dict[str, tuple[str, str]]:
    conditions = Conditions()
    derive_ready(conditions, Because(Reason.SUCCEEDED), **hindrances)
    return {condition.type: (condition.status, condition.reason) for condition in settle(conditions)}


def test_ready_stands_alone():
    assert derived() == {"Ready": ("True", "Succeeded")}


def test_reconciling_takes_ready_away():
    found = derived(reconciling=Because(Reason.WALKING))
    assert found == {"Ready": ("False", "Walking"), "Reconciling": ("True", "Walking")}


def test_stalled_wins_over_reconciling():
    found = derived(reconciling=Because(Reason.WALKING), stalled=Because(Reason.GATE_FAILED))
    assert found == {"Ready": ("False", "GateFailed"), "Stalled": ("True", "GateFailed")}
