"""Going back (R048 to R051): a revert is a publish, and the untouched draft does not undo it."""

from __future__ import annotations

import pytest

from sluice.api.reasons import ConditionType, Reason
from tests.domain.publishing.builders import Desk, digest, draft

BACK = {"v3": {"to": "v1", "percent": 10, "reason": "5xx"}}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.publish("a", "b")
    return desk


def test_a_revert_publishes_a_copy_with_a_new_number(desk):
    desk.spec["reverts"] = BACK
    desk.settle()
    first, spec = desk.versions[0].spec, desk.versions[2].spec
    assert (spec.number, spec.digest, spec.definition) == (3, first.digest, first.definition)
    assert (spec.revert_of, spec.percent, spec.reason) == ("v1", 10, "5xx")


def test_the_untouched_draft_does_not_bring_the_bad_version_back(desk):
    desk.spec["reverts"] = BACK
    desk.settle()
    assert desk.contents == ["a", "b", "a"]
    assert desk.condition(ConditionType.DRAFT_BEHIND) == ("True", Reason.REVERTED_BY_HAND)
    assert desk.condition(ConditionType.READY) == ("True", Reason.SUCCEEDED)


def test_a_changed_draft_publishes_after_a_revert(desk):
    desk.spec["reverts"] = BACK
    desk.settle()
    desk.publish("c")
    assert desk.contents == ["a", "b", "a", "c"]
    assert desk.condition(ConditionType.DRAFT_BEHIND) is None


def test_the_reverted_draft_comes_back_when_somebody_asks_for_it_again(desk):
    desk.spec["reverts"] = BACK
    desk.settle()
    desk.spec["publish"] = {"request": {"digest": digest("b")}}
    desk.settle()
    assert desk.contents == ["a", "b", "a"]
    desk.spec["publish"] = {"request": {"digest": digest("b"), "attempt": 2}}
    desk.settle()
    assert desk.contents == ["a", "b", "a", "b"]


def test_late_and_duplicate_requests_are_harmless(desk):
    desk.spec["reverts"] = {"v2": {"to": "v1"}, **BACK}
    desk.settle()
    desk.settle()
    assert desk.contents == ["a", "b", "a"]


def test_a_request_for_a_later_number_waits_for_it(desk):
    desk.spec["reverts"] = {"v4": {"to": "v1"}}
    desk.settle()
    assert desk.contents == ["a", "b"]
    desk.publish("c")
    assert desk.contents == ["a", "b", "c", "a"]


def test_a_version_that_does_not_exist_is_named(desk):
    desk.spec["reverts"] = {"v3": {"to": "v7"}}
    desk.settle()
    assert desk.contents == ["a", "b"]
    assert desk.condition(ConditionType.STALLED) == ("True", Reason.VERSION_NOT_FOUND)


def test_a_revert_to_what_is_newest_publishes_nothing(desk):
    desk.spec["reverts"] = {"v3": {"to": "v2"}}
    desk.settle()
    assert desk.contents == ["a", "b"]
    assert desk.condition(ConditionType.READY) == ("True", Reason.SUCCEEDED)


def test_a_revert_goes_before_a_draft_that_changed_at_the_same_time(desk):
    desk.spec["reverts"] = BACK
    desk.publish("c")
    assert desk.contents == ["a", "b", "a"]
    assert desk.versions[2].spec.draft_digest == digest("c")
    assert desk.condition(ConditionType.DRAFT_BEHIND) == ("True", Reason.REVERTED_BY_HAND)


def test_a_revert_works_although_the_draft_is_broken_and_its_repair_publishes(desk):
    desk.spec["reverts"] = BACK
    desk.draft = type(desk.draft)(findings=("spec.definition: not a mapping",))
    desk.settle()
    assert desk.contents == ["a", "b", "a"]
    desk.publish("c")
    assert desk.contents == ["a", "b", "a", "c"]


def test_writing_the_old_definition_into_the_draft_goes_back_too(desk):
    desk.publish("a")
    assert desk.contents == ["a", "b", "a"]
    assert desk.versions[2].spec.revert_of is None


def test_who_asked_for_the_revert_is_written_down(desk):
    fields = {"f:spec": {"f:reverts": {"f:v3": {}}}}
    desk.managed_fields = [{"manager": "ana", "time": "2026-03-01T07:59:00Z", "fieldsV1": fields}]
    desk.spec["reverts"] = BACK
    desk.settle()
    assert desk.versions[2].spec.published_by == "ana"


def test_a_revert_waits_for_a_rollout_where_one_is_required(desk):
    desk.spec = {"reverts": BACK, "publish": {"rollout": "Required"}}
    desk.draft = draft("b")
    desk.settle()
    assert desk.contents == ["a", "b"]
    assert desk.condition(ConditionType.STALLED) == ("True", Reason.ROLLOUT_REQUIRED)
