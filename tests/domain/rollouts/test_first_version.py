"""R052: there is no previous version to share with."""

from __future__ import annotations

from sluice.api.reasons import ConditionType, Reason
from sluice.api.rollout import Outcome, RolloutPhase
from tests.domain.rollouts.builders import Stage, version


def test_nothing_published_is_idle():
    stage = Stage({"percent": 25})
    stage.plan()
    assert (stage.status.phase, stage.status.percent) == (RolloutPhase.IDLE, "0")
    assert stage.condition(ConditionType.READY)[:2] == ("False", Reason.NO_VERSION)


def test_the_first_version_takes_all_runs_whatever_the_percentage():
    stage = Stage({"percent": 10})
    stage.publish(version(1))
    assert (stage.stable, stage.candidate, stage.status.percent) == (1, 0, "100")
    assert stage.condition(ConditionType.PROGRESSING)[:2] == ("False", Reason.NO_PREVIOUS_VERSION)


def test_the_second_version_shares_with_the_first():
    stage = Stage({"percent": 10})
    stage.publish(version(1))
    stage.publish(version(2))
    assert (stage.stable, stage.candidate, stage.status.percent) == (1, 2, "10")


def test_without_a_rollout_every_publish_takes_all_runs_at_once():
    stage = Stage(None)
    stage.publish(version(1))
    stage.publish(version(2))
    assert (stage.stable, stage.candidate, stage.status.percent) == (2, 0, "100")


def test_a_rollout_made_for_a_workflow_at_work_changes_nothing():
    stage = Stage({"percent": 5}, versions=[version(n, outcome=Outcome.COMPLETED) for n in (1, 2, 3)])
    stage.plan()
    assert (stage.stable, stage.candidate, stage.status.percent) == (3, 0, "100")


def test_when_nothing_remembers_what_was_stable_the_newest_walks_again():
    stage = Stage({"percent": 5}, versions=[version(n) for n in (1, 2, 3)])
    stage.plan()
    assert (stage.stable, stage.candidate, stage.status.percent) == (2, 3, "5")


def test_a_candidate_that_was_stopped_stays_stopped_when_the_status_is_lost():
    versions = [version(1, outcome=Outcome.COMPLETED), version(2, outcome=Outcome.STOPPED)]
    stage = Stage({"percent": 50}, versions=versions)
    stage.plan()
    assert (stage.stable, stage.candidate, stage.status.phase) == (1, 2, RolloutPhase.STOPPED)


def test_a_lost_status_never_counts_on_in_an_old_window():
    stage = Stage({"percent": 50}, versions=[version(1, outcome=Outcome.COMPLETED), version(2)], known_revision=7)
    stage.plan()
    assert stage.status.revision == 8
