"""Attempts with pods of their own: what a pod's status says of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sluice.domain.launching.step_endings import OUTPUT_BYTES, AttemptState, Sight, sight_of
from sluice.domain.timestamps import parse_stamp, to_micros
from tests.domain.launching.pods import ENDED, RUN_SINCE, disrupted, pod, running, scheduled, terminated, waiting

NOW = dt.datetime(2026, 3, 1, 8, 1, tzinfo=dt.UTC)
OUT = "/scratch/out.json"
Pod = dict[str, Any]


def seen(status: Pod, output_from: str = "", now: dt.datetime = NOW) -> Sight:
    return sight_of(status, output_from, now)


def ended(code: int, reason: str = "", message: str = "") -> Pod:
    return terminated(code, reason, message, name="step")


def test_a_container_that_ends_well_succeeds_with_its_exit_code() -> None:
    sight = seen(pod("Succeeded", ended(0)))
    assert sight.state is AttemptState.ENDED
    assert sight.body == {"phase": "Succeeded", "reason": "Completed", "output": {"exitCode": 0}}
    assert sight.started == to_micros(parse_stamp(RUN_SINCE))


def test_a_sidecar_that_goes_on_keeps_no_step_from_having_ended() -> None:
    assert seen(pod("Running", running("proxy"), ended(0))).state is AttemptState.ENDED


OUTPUTS = {
    '{"url": "https://x"}\n': {"url": "https://x"},
    " [1, 2] ": [1, 2],
    "null": None,
    '"text"': "text",
    f'"{"x" * (OUTPUT_BYTES - 3)}"': "x" * (OUTPUT_BYTES - 3),
}


@pytest.mark.parametrize("text", OUTPUTS, ids=lambda text: text[:20])
def test_the_output_is_the_json_of_the_named_file(text: str) -> None:
    body = seen(pod("Succeeded", ended(0, message=text)), OUT).body
    assert (body["phase"], body["output"]) == ("Succeeded", OUTPUTS[text])


@pytest.mark.parametrize(
    ("text", "reason", "message"),
    [
        ("", "OutputInvalid", f"its container ended well and wrote nothing into {OUT}"),
        ("done\n", "OutputInvalid", f"{OUT} is no JSON: "),
        ("{", "OutputInvalid", f"{OUT} is no JSON: "),
        ('"' + "x" * OUTPUT_BYTES + '"', "OutputTooLarge", f"{OUT} has 4,096 bytes or more, and 4,095 are the limit"),
        ("1" * OUTPUT_BYTES, "OutputTooLarge", f"{OUT} has 4,096 bytes or more"),
        ("ü" * (OUTPUT_BYTES // 2), "OutputTooLarge", f"{OUT} has 4,096 bytes or more"),
    ],
    ids=lambda value: value[:20],
)
def test_an_output_that_is_none_fails_the_step(text: str, reason: str, message: str) -> None:
    body = seen(pod("Succeeded", ended(0, message=text)), OUT).body
    assert (body["phase"], body["reason"]) == ("Failed", reason)
    assert body["message"].startswith(message)


VERDICTS = {
    "it failed": (
        pod("Failed", ended(3, message="line one\ncan't reach the shop\n")),
        "ContainerFailed",
        "its container ended with code 3: can't reach the shop",
    ),
    "it failed without a word": (pod("Failed", ended(1)), "ContainerFailed", "its container ended with code 1"),
    "it was killed": (pod("Failed", ended(137)), "ContainerFailed", "its container ended with code 137 (signal 9)"),
    "it needs more memory": (pod("Failed", ended(137, "OOMKilled")), "StepOOM", "its container ran out of memory"),
    "it took too long": (
        pod("Failed", ended(137), reason="DeadlineExceeded", message="Pod was active on the node longer than ..."),
        "TimedOut",
        "its container took longer than the step's timeout",
    ),
    "there is no such program": (
        pod("Failed", ended(128, "StartError", 'exec: "nope": executable file not found in $PATH')),
        "ContainerFailed",
        "its program can't be started: exec",
    ),
    "it failed, then its Job was cleaned up": (
        pod("Failed", ended(143), deleted="2026-03-01T08:05:30Z") | {},
        "ContainerFailed",
        "its container ended with code 143 (signal 15)",
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_programs_own_verdict_ends_the_step(case: str) -> None:
    status, reason, message = VERDICTS[case]
    sight = seen(status, OUT)
    assert sight.state is AttemptState.ENDED
    assert (sight.body["phase"], sight.body["reason"]) == ("Failed", reason)
    assert sight.body["message"].startswith(message)
    assert sight.started == to_micros(parse_stamp(RUN_SINCE))


LOSSES = {
    "its node was drained": (
        pod("Failed", ended(143), conditions=disrupted("EvictionByEvictionAPI")),
        "PodEvicted",
        "its node is being drained",
    ),
    "its node ran out of disk": (
        pod("Failed", reason="Evicted", message="The node was low on resource: ephemeral-storage."),
        "PodEvicted",
        "Evicted: The node was low on resource",
    ),
    "its node went away": (
        pod("Failed", conditions=disrupted("DeletionByPodGC")),
        "NodeLost",
        "its node is not there any more",
    ),
    "its node does not answer": (
        pod("Running", running("step"), deleted="2026-03-01T07:50:00Z"),
        "NodeLost",
        "its node node-7 does not answer",
    ),
    "somebody deleted it, and it said so": (
        pod("Failed", ended(1), deleted=ENDED),
        "PodEvicted",
        "somebody deleted its pod",
    ),
    "something before it failed": (
        pod("Failed", initContainerStatuses=[terminated(1, name="mesh")]),
        "PodStartFailed",
        "mesh, which runs before it, ended with code 1",
    ),
}


@pytest.mark.parametrize("case", LOSSES)
def test_what_a_cluster_did_to_the_pod_is_no_verdict(case: str) -> None:
    status, reason, message = LOSSES[case]
    sight = seen(status, OUT)
    assert sight.state is AttemptState.LOST
    assert sight.lost is not None
    assert sight.lost.reason.value == reason
    assert sight.lost.message.startswith(message)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (pod("Pending", waiting("ImagePullBackOff", "no such image", "step")), "ImagePullFailed"),
        (pod("Pending", waiting("CreateContainerConfigError", "no such secret", "step")), "PodConfigInvalid"),
        (pod("Pending", node="", conditions=scheduled("Unschedulable", "0/3 nodes")), "PodUnschedulable"),
    ],
)
def test_what_keeps_it_from_beginning_is_a_hindrance_and_no_end(status: Pod, reason: str) -> None:
    sight = seen(status)
    assert sight.state is AttemptState.PENDING
    assert sight.hindrance is not None
    assert sight.hindrance[0].value == reason


def test_while_it_runs_it_has_no_end() -> None:
    sight = seen(pod("Running", running("step")))
    assert (sight.state, sight.body, sight.lost) == (AttemptState.RUNNING, {}, None)
    leaving = seen(pod("Running", running("step"), deleted="2026-03-01T08:01:20Z"))
    assert leaving.state is AttemptState.RUNNING
    assert leaving.lost is not None
    assert leaving.lost.message == "its pod is being deleted"


def test_that_it_is_being_started_is_no_hindrance() -> None:
    assert seen(pod("Pending")) == Sight(AttemptState.PENDING)
