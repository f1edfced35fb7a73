"""Which workloads elsewhere are nobody's: in doubt, they are somebody's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice.domain.launching.names import LAUNCHED_FROM_LABEL
from sluice.domain.launching.network import network_policy_of
from sluice.domain.launching.orphans import GRACE_S, RunFacts, has_ended, is_worn_out, why_orphan
from sluice.domain.launching.pods import job_of, pod_of
from tests.domain.launching.builders import INSTALLATION, placement, segment

Obj = dict[str, Any]
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
JOB: Obj = {"kind": "Job", "metadata": {}}
POD: Obj = {"kind": "Pod", "metadata": {"creationTimestamp": "2026-03-01T11:00:00Z"}, "status": {"phase": "Running"}}


def ago(seconds: float) -> int:
    return int((NOW.timestamp() - seconds) * 1e6)


@pytest.mark.parametrize("workload", [JOB, POD])
@pytest.mark.parametrize(
    ("run", "why"),
    [
        (None, "its run does not exist"),
        (RunFacts(epoch=3), ""),
        (RunFacts(epoch=2), ""),
        (RunFacts(epoch=0), ""),
        (RunFacts(epoch=4), "its run went on in epoch 4"),
        (RunFacts(ended=ago(GRACE_S - 1), epoch=3), ""),
        (RunFacts(ended=ago(GRACE_S + 1), epoch=3), "its run has ended"),
    ],
)
def test_a_workload_is_nobodys_where_nothing_of_it_could_be_taken(
    workload: Obj, run: RunFacts | None, why: str
) -> None:
    assert why_orphan(workload, 3, run, now=NOW) == why


@pytest.mark.parametrize(
    "workload",
    [
        {**JOB, "status": {"conditions": [{"type": "Failed", "status": "True"}]}},
        {**JOB, "status": {"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}]}},
        {**POD, "status": {"phase": "Succeeded"}},
        {"kind": "Job", "metadata": {"deletionTimestamp": "2026-03-01T12:00:00Z"}},
    ],
)
def test_what_ended_or_is_on_its_way_goes_by_itself(workload: Obj) -> None:
    assert why_orphan(workload, 3, None, now=NOW) == ""


def test_a_condition_that_is_not_true_ends_nothing() -> None:
    assert not has_ended({**JOB, "status": {"conditions": [{"type": "Failed", "status": "False"}]}})
    assert not has_ended({**JOB, "status": {"conditions": [{"type": "Suspended", "status": "True"}]}})


def finished(at: str) -> Obj:
    return {**POD, "status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}}


def test_a_pod_is_kept_for_its_time_after_its_end() -> None:
    assert not is_worn_out(finished("2026-03-01T11:56:00Z"), 300, now=NOW)
    assert is_worn_out(finished("2026-03-01T11:54:00Z"), 300, now=NOW)
    assert not is_worn_out(POD, 300, now=NOW)
    assert is_worn_out({**POD, "status": {"phase": "Failed"}}, 300, now=NOW), "it never had a container"


def test_what_does_not_go_by_itself_says_from_where_it_was_launched() -> None:
    at_home, elsewhere = placement(), placement(namespace="jobs")
    assert LAUNCHED_FROM_LABEL not in job_of(segment(), at_home, INSTALLATION)["metadata"]["labels"]
    assert LAUNCHED_FROM_LABEL in pod_of(segment(), at_home, INSTALLATION)["metadata"]["labels"]
    for make in (job_of, pod_of):
        made = make(segment(), elsewhere, INSTALLATION)
        assert made["metadata"]["labels"][LAUNCHED_FROM_LABEL] == INSTALLATION.cluster == "cluster-uid"
    for place in (at_home, elsewhere):
        labels = network_policy_of(place, INSTALLATION)["metadata"]["labels"]
        assert labels[LAUNCHED_FROM_LABEL] == "cluster-uid"
