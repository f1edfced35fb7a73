"""Pods that wait, run, have ended or are lost, told from their status."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice.api.reasons import Reason, StepReason
from sluice.domain.launching.standing import PodState, pod_standing
from tests.domain.launching.pods import (
    IMAGE,
    RUN_SINCE,
    container,
    disrupted,
    pod,
    running,
    scheduled,
    terminated,
    waiting,
)

Pod = dict[str, Any]
NOW = dt.datetime(2026, 3, 1, 8, 1, tzinfo=dt.UTC)
STARTED = dt.datetime.fromisoformat(RUN_SINCE)


def told(status: Pod | None, now: dt.datetime = NOW) -> tuple[str, str | None]:
    standing = pod_standing(status, now)
    return standing.state.value, standing.reason.value if standing.reason else None


WAITS = {
    "nobody looked at it yet": (pod("Pending", node=""), Reason.POD_STARTING, "is being started"),
    "no room on any node": (
        pod(
            "Pending",
            node="",
            conditions=scheduled("Unschedulable", "0/3 nodes are available: 3 Insufficient memory."),
        ),
        Reason.POD_UNSCHEDULABLE,
        "0/3 nodes are available: 3 Insufficient memory.",
    ),
    "held back by a gate": (
        pod(
            "Pending", node="", conditions=scheduled("SchedulingGated", "Scheduling is blocked due to non-empty gates")
        ),
        Reason.POD_UNSCHEDULABLE,
        "Scheduling is blocked",
    ),
    "its image is not there": (
        pod("Pending", waiting("ErrImagePull", 'failed to resolve reference "x": not found')),
        Reason.IMAGE_PULL_FAILED,
        f"{IMAGE} can't be pulled: failed to resolve reference",
    ),
    "its image is waited for": (
        pod("Pending", waiting("ImagePullBackOff", 'Back-off pulling image "x"')),
        Reason.IMAGE_PULL_FAILED,
        "Back-off pulling image",
    ),
    "its image has no name": (
        pod("Pending", waiting("InvalidImageName", "couldn't parse image name")),
        Reason.IMAGE_PULL_FAILED,
        "couldn't parse image name",
    ),
    "its image may not be pulled": (
        pod("Pending", waiting("ErrImageNeverPull")),
        Reason.IMAGE_PULL_FAILED,
        "ErrImageNeverPull",
    ),
    "a sidecar's image is not there": (
        pod("Pending", waiting("PodInitializing"), initContainerStatuses=[waiting("ImagePullBackOff", "no", "proxy")]),
        Reason.IMAGE_PULL_FAILED,
        "can't be pulled: no",
    ),
    "a Secret is missing": (
        pod("Pending", waiting("CreateContainerConfigError", 'secret "desk" not found')),
        Reason.POD_CONFIG_INVALID,
        'secret "desk" not found',
    ),
    "its container is refused": (
        pod("Pending", waiting("CreateContainerError", "context deadline exceeded")),
        Reason.POD_CONFIG_INVALID,
        "context deadline exceeded",
    ),
    "its container is being made": (pod("Pending", waiting("ContainerCreating")), Reason.POD_STARTING, "being started"),
}


@pytest.mark.parametrize("case", WAITS)
def test_a_pod_that_waits_says_why(case: str) -> None:
    status, reason, words = WAITS[case]
    standing = pod_standing(status, NOW)
    assert (standing.state, standing.reason, standing.started) == (PodState.PENDING, reason, None)
    assert words in standing.message


def test_a_start_that_takes_long_says_where_to_look() -> None:
    slow = pod_standing(pod("Pending", waiting("ContainerCreating")), NOW + dt.timedelta(minutes=5))
    assert slow.reason is Reason.POD_STARTING
    assert "has been starting for 6m" in slow.message
    assert "kubectl describe pod hello-0123456789-1-x7k2p -n support" in slow.message


ENDS = {
    "done": (pod("Succeeded", terminated(0)), PodState.SUCCEEDED, None),
    "done, and only that is told": (pod("Succeeded"), PodState.SUCCEEDED, None),
    "done beside a sidecar that goes on": (
        pod("Running", running("proxy"), terminated(0)),
        PodState.SUCCEEDED,
        None,
    ),
    "done beside a sidecar that failed": (
        pod("Failed", terminated(1, name="proxy"), terminated(0)),
        PodState.SUCCEEDED,
        None,
    ),
    "done while its node was drained": (
        pod("Failed", terminated(0), conditions=disrupted("EvictionByEvictionAPI")),
        PodState.SUCCEEDED,
        None,
    ),
    "failed beside a sidecar that goes on": (
        pod("Running", running("proxy"), terminated(4)),
        PodState.FAILED,
        StepReason.LEASE_EXPIRED,
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_runners_container_decides_whether_it_ended_well(case: str) -> None:
    status, state, reason = ENDS[case]
    standing = pod_standing(status, NOW)
    assert (standing.state, standing.reason) == (state, reason)
    assert standing.is_over


def test_a_pod_runs_since_its_runner_does() -> None:
    standing = pod_standing(pod("Running", running("proxy"), running()), NOW)
    assert (standing.state, standing.reason, standing.started) == (PodState.RUNNING, None, STARTED)
    assert not standing.is_over
    assert pod_standing(pod("Running"), NOW).started is None
    assert told(pod("Running", waiting("PodInitializing"))) == ("Pending", "PodStarting")
    assert pod_standing(pod("Failed", terminated(5)), NOW).started == STARTED


def leaving(phase: str, deleted: str, conditions: list[dict[str, Any]]) -> Pod:
    return pod(phase, container(running={"startedAt": RUN_SINCE}), deleted=deleted, conditions=conditions)


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (leaving("Running", "2026-03-01T08:01:20Z", []), "Running", "PodEvicted"),
        (leaving("Running", "2026-03-01T08:00:01Z", []), "Running", "PodEvicted"),
        (leaving("Running", "2026-03-01T07:59:59Z", []), "Gone", "NodeLost"),
        (leaving("Running", "2026-03-01T08:01:20Z", disrupted("DeletionByTaintManager")), "Running", "PodEvicted"),
        (leaving("Running", "2026-03-01T07:59:59Z", disrupted("DeletionByTaintManager")), "Gone", "NodeLost"),
        (leaving("Running", "2026-03-01T08:01:20Z", disrupted("PreemptionByScheduler")), "Running", "PodEvicted"),
        (leaving("Running", "2026-03-01T08:01:20Z", disrupted("DeletionByPodGC")), "Gone", "NodeLost"),
        (leaving("Unknown", "2026-03-01T08:01:20Z", []), "Gone", "NodeLost"),
        (pod("Running", running(), reason="NodeLost", message="Node node-7 is unresponsive"), "Gone", "NodeLost"),
        (pod("Pending", waiting("ContainerCreating"), deleted="2026-03-01T08:01:20Z"), "Pending", "PodEvicted"),
        (pod("Pending", node="", deleted="2026-03-01T07:00:00Z"), "Pending", "PodEvicted"),
        (None, "Gone", "RunnerLost"),
    ],
)
def test_a_pod_on_its_way_out_runs_until_its_node_is_silent_about_it(
    status: Pod | None, state: str, reason: str
) -> None:
    assert told(status) == (state, reason)
    standing = pod_standing(status, NOW)
    assert standing.message
    assert not standing.is_over
