"""What a rollout's status tells people: who holds it, how runs were dealt, whether it is ready."""

from __future__ import annotations

from sluice.api.reasons import ConditionType, Reason
from sluice.domain.rollouts.owners import Writer, who_wrote
from tests.domain.rollouts.builders import Stage, steps, version

MANAGED = [
    {
        "manager": "kubectl-ana",
        "operation": "Update",
        "time": "2026-03-01T07:59:00Z",
        "fieldsV1": {"f:spec": {"f:holds": {".": {}, "f:v2": {}}}},
    },
    {
        "manager": "sluice-git/main",
        "operation": "Apply",
        "time": "2026-02-01T00:00:00Z",
        "fieldsV1": {"f:spec": {"f:percent": {}, "f:stops": {"f:v2": {"f:reason": {}}}}},
    },
    {
        "manager": "sluice-controller",
        "operation": "Update",
        "subresource": "status",
        "time": "2026-03-09T00:00:00Z",
        "fieldsV1": {"f:spec": {"f:holds": {"f:v2": {}}}},
    },
]


def held() -> Stage:
    stage = Stage({"percent": 25, "holds": {"v2": {"reason": "audit"}}}, managed_fields=MANAGED)
    stage.publish(version(1))
    stage.publish(version(2))
    return stage


def test_held_by_hand_names_who_since_when_why_and_what_ends_it():
    status, reason, message = held().condition(ConditionType.HELD_BY_HAND)
    assert (status, reason) == ("True", Reason.HELD_BY_HAND)
    assert message == (
        "hold of v2 by kubectl-ana since 2026-03-01T07:59:00Z: audit; `sluice rollout resume support` ends it"
    )


def test_held_by_hand_goes_with_what_held():
    stage = held()
    stage.spec.pop("holds")
    stage.plan()
    assert stage.condition(ConditionType.HELD_BY_HAND) is None


def test_a_request_tells_who_made_it():
    request = held().status.requests[0]
    assert (request.state, request.by, request.since) == ("InForce", "kubectl-ana", "2026-03-01T07:59:00Z")


def test_a_stop_names_the_command_that_ends_it():
    stage = held()
    stage.ask(stops={"v2": {"reason": "5xx"}})
    message = stage.condition(ConditionType.HELD_BY_HAND)[2]
    assert "stop of v2 by sluice-git/main since 2026-02-01T00:00:00Z: 5xx" in message
    assert "sluice rollout retry support" in message


def test_the_last_writer_of_a_path_owns_it_and_status_writers_do_not():
    assert who_wrote(MANAGED, ("spec", "holds", "v2")) == Writer("kubectl-ana", "2026-03-01T07:59:00Z")
    assert who_wrote(MANAGED, ("spec", "stops", "v2")) == Writer("sluice-git/main", "2026-02-01T00:00:00Z")
    assert who_wrote(MANAGED, ("spec", "stops", "v3")) is None
    assert who_wrote([{"manager": "all", "fieldsV1": {"f:spec": {}}}], ("spec", "stops")) == Writer("all")
    assert who_wrote([{"manager": "none", "fieldsV1": {}}], ("spec", "stops")) is None


def test_the_actual_percentage_is_of_all_runs_that_were_dealt():
    stage = Stage({"percent": 25}, dealt={"eu": (15, 46), "us": (0, 0)})
    stage.publish(version(1))
    assert stage.status.actual_percent is None
    stage.publish(version(2))
    assert stage.status.actual_percent == "24.6"
    assert [(runs.environment, runs.candidate, runs.stable) for runs in stage.status.runs] == [
        ("eu", 15, 46),
        ("us", 0, 0),
    ]


def test_a_walk_under_way_is_reconciling_and_its_end_is_ready():
    stage = Stage(steps({"percent": 5, "pause": {"duration": "1h"}}, {"percent": 100}))
    stage.publish(version(1))
    stage.publish(version(2))
    assert stage.condition(ConditionType.READY)[0] == "False"
    assert stage.condition(ConditionType.RECONCILING)[0] == "True"
    stage.after(hours=1)
    assert stage.condition(ConditionType.READY)[0] == "True"
    assert stage.condition(ConditionType.RECONCILING) is None


def test_history_keeps_the_newest_fifty():
    stage = Stage({"percent": 100})
    for number in range(1, 61):
        stage.publish(version(number))
    assert [entry.number for entry in stage.status.history] == list(range(60, 10, -1))
    assert len(stage.status.former) == 50
