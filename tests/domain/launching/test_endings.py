"""Why a pod failed: by the cluster, by its memory, by its runner's exit code."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice.api.reasons import StepReason
from sluice.domain.launching.standing import PodState, pod_standing
from tests.domain.launching.pods import disrupted, pod, terminated, waiting

NOW = dt.datetime(2026, 3, 1, 8, 1, tzinfo=dt.UTC)
LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 3Mi."

FAILURES: dict[str, tuple[dict[str, Any], StepReason, str]] = {
    "its memory": (pod("Failed", terminated(137, "OOMKilled")), StepReason.RUNNER_OOM, "raise limits.memory"),
    "its memory, while it was drained": (
        pod("Failed", terminated(137, "OOMKilled"), conditions=disrupted("EvictionByEvictionAPI")),
        StepReason.RUNNER_OOM,
        "ran out of memory",
    ),
    "its node's memory": (
        pod(
            "Failed",
            terminated(137),
            reason="Evicted",
            message=LOW,
            conditions=disrupted("TerminationByKubelet", LOW),
        ),
        StepReason.POD_EVICTED,
        "its node ended it: The node was low on resource: memory.",
    ),
    "an eviction without a condition": (
        pod("Failed", reason="Evicted", message=LOW),
        StepReason.POD_EVICTED,
        "Evicted: The node was low",
    ),
    "its scratch": (
        pod("Failed", reason="Evicted", message='Usage of EmptyDir volume "scratch" exceeds the limit "1Gi".'),
        StepReason.POD_EVICTED,
        'volume "scratch" exceeds the limit "1Gi"',
    ),
    "a more important pod": (
        pod("Failed", terminated(143), conditions=disrupted("PreemptionByScheduler", "default-scheduler: preempting")),
        StepReason.POD_EVICTED,
        "higher priority took its place: default-scheduler",
    ),
    "a drain": (
        pod("Failed", terminated(143), conditions=disrupted("EvictionByEvictionAPI", "Eviction API: evicting")),
        StepReason.POD_EVICTED,
        "being drained",
    ),
    "a taint": (
        pod(
            "Failed", terminated(143), conditions=disrupted("DeletionByTaintManager", "deleting due to NoExecute taint")
        ),
        StepReason.POD_EVICTED,
        "NoExecute taint",
    ),
    "a disruption of a kind to come": (
        pod("Failed", terminated(143), conditions=disrupted("DeletionByFog")),
        StepReason.POD_EVICTED,
        "DeletionByFog",
    ),
    "a node that was removed": (
        pod("Failed", conditions=disrupted("DeletionByPodGC", "PodGC: node no longer exists")),
        StepReason.NODE_LOST,
        "node no longer exists",
    ),
    "a node that was lost": (pod("Failed", reason="NodeLost"), StepReason.NODE_LOST, "did not answer"),
    "a node that shuts down": (
        pod("Failed", terminated(143), reason="Terminated", message="Pod was terminated in response to node shutdown."),
        StepReason.POD_EVICTED,
        "node shutdown",
    ),
    "a node that has no room after all": (
        pod("Failed", reason="OutOfcpu", message="Pod was rejected: Node didn't have enough resource: cpu"),
        StepReason.POD_EVICTED,
        "OutOfcpu: Pod was rejected",
    ),
    "its deadline": (
        pod("Failed", terminated(143), reason="DeadlineExceeded", message="Pod was active on the node longer than"),
        StepReason.RUN_TIMED_OUT,
        "its run's time was over",
    ),
    "somebody's hand": (
        pod("Failed", terminated(143), deleted="2026-03-01T08:00:40Z"),
        StepReason.POD_EVICTED,
        "somebody deleted its pod",
    ),
    "no such program": (
        pod("Failed", terminated(128, "StartError", 'exec: "python": executable file not found in $PATH')),
        StepReason.POD_START_FAILED,
        'can\'t be started: exec: "python"',
    ),
    "no such program, as other runtimes say it": (
        pod("Failed", terminated(127, "ContainerCannotRun", "no such file")),
        StepReason.POD_START_FAILED,
        "no such file",
    ),
    "what ran before it": (
        pod("Failed", waiting("PodInitializing"), initContainerStatuses=[terminated(1, "", "no route", "proxy-init")]),
        StepReason.POD_START_FAILED,
        "proxy-init, which runs before it, ended with code 1: no route",
    ),
    "nobody knows": (pod("Failed"), StepReason.RUNNER_LOST, "its pod failed"),
    "code 1": (
        pod("Failed", terminated(1, "Error", "No module named sluice")),
        StepReason.RUNNER_LOST,
        "ended with code 1: No module named sluice",
    ),
    "code 2": (
        pod("Failed", terminated(2, "Error", "--url is not given")),
        StepReason.POD_START_FAILED,
        "make the image from this Sluice's own: --url is not given",
    ),
    "code 3": (pod("Failed", terminated(3)), StepReason.RUNNER_REFUSED, "did not take it"),
    "code 4": (pod("Failed", terminated(4)), StepReason.LEASE_EXPIRED, "heard nothing"),
    "code 5": (
        pod("Failed", terminated(5, "Error", "killed by signal 11")),
        StepReason.RUNNER_LOST,
        "ended before they did: killed by signal 11",
    ),
    "a kill": (pod("Failed", terminated(137)), StepReason.RUNNER_LOST, "was killed"),
    "a signal": (pod("Failed", terminated(143)), StepReason.RUNNER_LOST, "asked to end"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_pod_failed_because_of(case: str) -> None:
    status, reason, words = FAILURES[case]
    standing = pod_standing(status, NOW)
    assert (standing.state, standing.reason) == (PodState.FAILED, reason)
    assert words in standing.message
    assert standing.is_over


def test_of_many_last_words_the_end_is_told() -> None:
    message = pod_standing(pod("Failed", terminated(5, "Error", "x" * 3000 + " the end\n")), NOW).message
    assert len(message) < 1100
    assert message.endswith("x the end")
