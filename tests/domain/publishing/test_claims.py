"""Claim, then create: whatever write a crash falls between, numbers have no gap and no digest is published twice (R179)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.api.workflow import Publishing
from tests.domain.publishing.builders import Desk, digest, draft


def test_the_first_plan_only_claims():
    plan = Desk().plan()
    assert (plan.claim, plan.create) == (Publishing(number=1, digest=digest("a")), None)


def test_the_plan_on_a_written_claim_creates():
    desk = Desk()
    desk.workflow.status.publishing = desk.plan().claim
    plan = desk.plan()
    assert plan.create.name == "support-v1"
    assert plan.claim == desk.workflow.status.publishing


def test_the_claim_goes_when_the_version_is_there():
    desk = Desk()
    desk.settle()
    assert desk.workflow.status.publishing is None


def test_a_draft_that_changed_after_the_claim_is_claimed_anew_under_the_same_number():
    desk = Desk()
    desk.workflow.status.publishing = desk.plan().claim
    desk.draft = draft("b")
    plan = desk.plan()
    assert (plan.claim, plan.create) == (Publishing(number=1, digest=digest("b")), None)


def test_a_draft_that_became_invalid_after_the_claim_is_claimed_no_more():
    desk = Desk()
    desk.workflow.status.publishing = desk.plan().claim
    desk.draft = draft("b", findings=("broken",))
    plan = desk.plan()
    assert (plan.claim, plan.create) == (None, None)


def test_a_number_that_only_the_ledger_knows_is_not_used_again():
    desk = Desk(ledger={1: digest("x"), 2: digest("y")})
    desk.settle()
    assert [version.spec.number for version in desk.versions] == [3]


def test_a_version_that_the_ledger_does_not_know_is_recorded():
    desk = Desk()
    desk.settle()
    assert desk.ledger == {1: digest("a")}
    desk.ledger.clear()
    assert desk.plan().record == ((1, digest("a"), 1),)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.booleans()), min_size=1, max_size=12))
def test_a_crash_between_any_two_writes_leaves_no_gap_and_no_repetition(edits: list[tuple[str, int, bool]]):
    desk = Desk()
    for content, plans, crashed in edits:
        desk.draft = draft(content)
        for _ in range(plans):
            desk.step()
        if crashed:
            plan = desk.plan()
            if plan.create:
                desk.create(plan)
    desk.settle()
    assert [version.spec.number for version in desk.versions] == list(range(1, len(desk.versions) + 1))
    assert all(one != other for one, other in zip(desk.contents, desk.contents[1:], strict=False))
    assert desk.contents[-1] == edits[-1][0]
    assert desk.ledger == {version.spec.number: version.spec.digest for version in desk.versions}
