"""When a draft becomes a version (R027 to R033, R162 to R166, R178 to R180)."""

from __future__ import annotations

from sluice.api.reasons import ConditionType, Reason
from sluice.api.workflow import Phase
from sluice.domain.publishing.drafts import publish_request
from sluice.domain.publishing.facts import DraftFacts
from tests.domain.publishing.builders import Desk, digest, draft

MANUAL = {"policy": "Manual"}


def test_the_first_draft_becomes_v1():
    desk = Desk()
    plan = desk.settle()
    assert [version.metadata.name for version in desk.versions] == ["support-v1"]
    assert (plan.phase, plan.version, plan.live) == (Phase.DEPLOYED, "v1", "v1")


def test_a_new_workflow_without_a_definition_is_a_draft_of_v1():
    desk = Desk(spec={"definition": None}, draft=DraftFacts())
    plan = desk.settle()
    assert (desk.versions, plan.phase, plan.version, plan.live) == ([], Phase.DRAFT, "v1", None)
    assert desk.condition(ConditionType.PUBLISHED) == ("False", Reason.NOT_PUBLISHED)


def test_every_changed_draft_is_the_next_number():
    desk = Desk()
    desk.publish("a", "b", "a")
    assert [version.spec.number for version in desk.versions] == [1, 2, 3]
    assert desk.contents == ["a", "b", "a"]


def test_the_same_digest_publishes_nothing():
    desk = Desk()
    desk.publish("a", "a")
    assert desk.contents == ["a"]
    assert desk.plan().claim is None


def test_an_invalid_draft_is_not_published_and_stops_nothing():
    desk = Desk()
    desk.publish("a")
    desk.draft = draft("b", findings=("spec.definition.steps[0]: two kinds", "spec.definition.trigger: none"))
    plan = desk.settle()
    assert (desk.contents, plan.phase, plan.live) == (["a"], Phase.DEPLOYED, "v1")
    assert desk.condition(ConditionType.DRAFT_VALID) == ("False", Reason.DRAFT_INVALID)
    assert desk.condition(ConditionType.STALLED) == ("True", Reason.DRAFT_INVALID)
    assert desk.condition(ConditionType.DRAFT_PENDING) == ("True", Reason.DRAFT_INVALID)


def test_a_draft_that_can_not_run_here_is_not_published():
    desk = Desk(draft=draft("a", not_executable=("steps[0]: agent needs the extra sluice[agents]",)))
    desk.settle()
    assert desk.contents == []
    assert desk.condition(ConditionType.STALLED) == ("True", Reason.NOT_EXECUTABLE)


def test_with_policy_manual_a_person_says_when():
    desk = Desk(spec={"publish": MANUAL})
    desk.settle()
    assert (desk.contents, desk.condition(ConditionType.DRAFT_PENDING)) == ([], ("True", Reason.PUBLISHING_MANUAL))
    desk.spec = {"publish": {**MANUAL, "request": {"digest": digest("b")}}}
    desk.settle()
    assert desk.contents == []
    desk.spec = {"publish": {**MANUAL, "request": {"digest": digest("a")}}}
    desk.settle()
    assert desk.contents == ["a"]


def test_a_manual_request_left_standing_publishes_only_its_own_draft():
    desk = Desk(spec={"publish": {**MANUAL, "request": {"digest": digest("a")}}})
    desk.publish("a", "b")
    assert desk.contents == ["a"]
    assert desk.condition(ConditionType.READY) == ("True", Reason.SUCCEEDED)


def test_with_rollout_required_nothing_is_published_before_there_is_one():
    desk = Desk(spec={"publish": {"rollout": "Required"}})
    desk.settle()
    assert (desk.contents, desk.condition(ConditionType.STALLED)) == ([], ("True", Reason.ROLLOUT_REQUIRED))
    desk.rollout_exists = True
    desk.settle()
    assert desk.contents == ["a"]


def test_a_definition_from_a_version_that_is_not_there_names_it():
    missing = DraftFacts(missing="support-staging has no version v12")
    desk = Desk(
        spec={"definition": None, "definitionFrom": {"workflow": "support-staging", "version": "v12"}}, draft=missing
    )
    desk.settle()
    assert desk.condition(ConditionType.DRAFT_VALID) == ("False", Reason.VERSION_NOT_FOUND)
    assert desk.condition(ConditionType.STALLED) == ("True", Reason.VERSION_NOT_FOUND)


def test_a_version_records_who_what_when_and_from_where():
    desk = Desk(draft=draft("a", manager="sluice-git/main", revision="main@sha1:abc"))
    desk.settle()
    spec = desk.versions[0].spec
    assert (spec.published_by, spec.published_at, spec.source.revision) == (
        "git",
        "2026-03-01T08:00:00Z",
        "main@sha1:abc",
    )
    assert (spec.digest, spec.draft_digest, spec.workflow_uid) == (digest("a"), digest("a"), "uid-1")


def test_a_suspended_workflow_still_publishes():
    desk = Desk(spec={"suspend": True})
    plan = desk.settle()
    assert (desk.contents, plan.phase) == (["a"], Phase.PAUSED)


def test_the_request_that_publishes_a_draft_counts_how_often_it_was():
    desk = Desk()
    desk.publish("a", "b", "a")
    assert publish_request(desk.versions, digest("a")).attempt == 3
    assert publish_request(desk.versions, digest("c")).attempt == 1
