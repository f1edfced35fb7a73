"""Versions that wait for somebody's word (R177, C19)."""

from __future__ import annotations

import datetime as dt

import pytest

from sluice.api.approval import ApprovalPhase
from sluice.api.reasons import ConditionType, Reason
from sluice.api.workflow import Phase
from sluice.api.workflowversion import VersionPhase
from tests.domain.publishing.builders import Desk, digest

OPS = {"groups": ["ops"]}


def desk(**approval: object) -> Desk:
    return Desk(spec={"publish": {"approval": {**OPS, **approval}}})


def phases(desk: Desk) -> list[str | None]:
    return [version.status.phase for version in desk.versions]


def test_a_version_waits_until_one_approves():
    waiting = desk()
    plan = waiting.publish("a")
    assert (plan.phase, plan.live, plan.approved) == (Phase.APPROVAL, None, ())
    assert waiting.condition(ConditionType.VERSION_PENDING_APPROVAL) == ("True", Reason.WAITING_FOR_APPROVAL)
    plan = waiting.decide("support-v1", "Approved")
    assert (plan.phase, plan.live) == (Phase.DEPLOYED, "v1")
    assert [version.spec.number for version in plan.approved] == [1]
    assert waiting.condition(ConditionType.VERSION_PENDING_APPROVAL) is None


def test_the_approval_names_who_may_decide_and_who_asked():
    waiting = desk(minimum=2, excludeRequester=True, timeout="1d")
    waiting.publish("a")
    spec = waiting.approvals["support-v1"].spec
    assert (spec.approvers.groups, spec.minimum, spec.requester) == (["ops"], 2, "git")
    assert (spec.exclude_requester, spec.subject.version, spec.timeout) == (True, "support-v1", "1d")


def test_a_long_reason_still_makes_an_approval():
    waiting = desk()
    waiting.publish("a")
    waiting.decide("support-v1", "Approved")
    waiting.publish("b")
    waiting.decide("support-v2", "Approved")
    waiting.spec["reverts"] = {"v3": {"to": "v1", "reason": "x" * 4096}}
    waiting.settle()
    assert len(waiting.approvals["support-v3"].spec.summary) == 4096


def test_a_version_that_waits_stops_nothing_that_runs():
    waiting = desk()
    waiting.publish("a")
    waiting.decide("support-v1", "Approved")
    plan = waiting.publish("b")
    assert (plan.phase, plan.live, plan.version) == (Phase.DEPLOYED, "v1", "v2")
    assert phases(waiting) == [VersionPhase.LIVE, VersionPhase.PENDING_APPROVAL]


def test_a_rejected_version_never_serves_and_does_not_come_again_by_itself():
    waiting = desk()
    waiting.publish("a")
    plan = waiting.decide("support-v1", "Rejected", reason="too risky")
    assert (plan.phase, phases(waiting), waiting.contents) == (Phase.DRAFT, [VersionPhase.REJECTED], ["a"])
    assert waiting.condition(ConditionType.DRAFT_PENDING) == ("True", Reason.APPROVAL_REJECTED)
    assert waiting.condition(ConditionType.STALLED) == ("True", Reason.APPROVAL_REJECTED)


def test_a_rejected_version_may_be_resubmitted():
    waiting = desk()
    waiting.publish("a")
    waiting.decide("support-v1", "Rejected")
    waiting.spec["publish"]["request"] = {"digest": digest("a"), "attempt": 2}
    waiting.settle()
    assert waiting.contents == ["a", "a"]
    assert phases(waiting) == [VersionPhase.REJECTED, VersionPhase.PENDING_APPROVAL]
    waiting.decide("support-v2", "Rejected")
    assert waiting.contents == ["a", "a"]


def test_after_a_rejection_the_draft_may_go_back_to_what_runs_without_a_publish():
    waiting = desk()
    waiting.publish("a")
    waiting.decide("support-v1", "Approved")
    waiting.publish("b")
    waiting.decide("support-v2", "Rejected")
    waiting.publish("a")
    assert waiting.contents == ["a", "b"]
    assert waiting.condition(ConditionType.READY) == ("True", Reason.SUCCEEDED)


def test_a_newer_publish_withdraws_a_pending_approval():
    waiting = desk()
    waiting.publish("a", "b")
    assert waiting.approvals["support-v1"].status.phase is ApprovalPhase.WITHDRAWN
    waiting.decide("support-v1", "Approved")
    plan = waiting.decide("support-v2", "Approved")
    assert [version.spec.number for version in plan.approved] == [2]
    assert (waiting.versions[0].status.phase, waiting.versions[0].status.outcome) == (
        VersionPhase.SUPERSEDED,
        "Withdrawn",
    )


def test_as_many_must_approve_as_the_minimum_says():
    waiting = desk(minimum=2)
    waiting.publish("a")
    assert waiting.decide("support-v1", "Approved", by="ben").live is None
    assert waiting.decide("support-v1", "Approved", by="eva").live == "v1"


def test_the_requesters_own_word_does_not_count_where_excluded():
    waiting = desk(excludeRequester=True)
    waiting.publish("a")
    assert waiting.decide("support-v1", "Approved", by="git").live is None
    assert waiting.decide("support-v1", "Approved", by="eva").live == "v1"


def test_an_explicit_timeout_rejects():
    waiting = desk(timeout="1h")
    assert waiting.publish("a").look_again == dt.timedelta(hours=1)
    waiting.now += dt.timedelta(hours=1)
    waiting.settle()
    assert phases(waiting) == [VersionPhase.REJECTED]


def test_a_lost_approval_is_asked_for_again_while_pending_and_not_after():
    waiting = desk()
    waiting.publish("a")
    waiting.approvals.clear()
    assert [wanted.name for wanted in waiting.plan().approvals] == ["support-v1"]
    waiting.settle()
    waiting.decide("support-v1", "Approved")
    waiting.approvals.clear()
    assert waiting.plan().approvals == ()
    assert waiting.plan().live == "v1"


@pytest.mark.parametrize("verdict", ["Approved", "Rejected"])
def test_planning_again_after_a_decision_changes_nothing(verdict):
    waiting = desk()
    waiting.publish("a")
    waiting.decide("support-v1", verdict)
    before = waiting.snapshot()
    waiting.step()
    assert waiting.snapshot() == before
