"""`sluice logs` on a cluster: what the pods of a run print, as long as they are there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli.podlogs import RUN_UID, RUNNER
from sluice.domain.launching import names, pods
from sluice.domain.run.events import STEP_ENDED, Event
from sluice.ports.store import Obj
from sluice.runner.journal import lines_of
from tests.cli.cluster_place import ClusterPlace, require_reachable
from tests.cli.kubelet import Kubelet, node_of
from tests.cli.place import environment, manifest
from tests.contracts.store.builders import eventually

pytestmark = pytest.mark.cluster

FIRST = """\
2026-01-31T08:00:01.000000Z fetch started, attempt 1
fetch| 12 orders
fetch| post| of yesterday
2026-01-31T08:00:03.250000Z fetch Succeeded after 2.250s, attempt 1
"""
SECOND = "post| sent\n"
NOTHING_IS_RECORDED = "the controller's record can't be asked: there is no service sluice-controller in the namespace "


@pytest.fixture
def kubelet(cluster: ClusterPlace, tmp_path: Path) -> Iterator[Kubelet]:
    require_reachable(cluster.plane)
    cluster.make(environment())
    cluster.make(manifest("WorkflowRun", "support-1", {"input": {"workflow": "support", "environment": "production"}}))
    with node_of(cluster, tmp_path) as made:
        yield made


def run_of(kubelet: Kubelet) -> Obj:
    return kubelet.place.get(WORKFLOW_RUN, "support-1")


def two_pods(kubelet: Kubelet) -> None:
    """The pods of two segments, of which the second goes on."""
    for at, (name, text) in enumerate((("support-1-a", FIRST), ("support-1-b", SECOND))):
        kubelet.pod(name, run_of(kubelet), epoch=at + 1)
        kubelet.begins(name)
        kubelet.prints(name, text)
    kubelet.ends("support-1-a")


def test_all_that_the_pods_print_segment_after_segment(kubelet: Kubelet) -> None:
    """R133."""
    two_pods(kubelet)
    result = kubelet.place.sluice("logs", "support-1")
    assert (result.exit_code, result.stdout, result.stderr) == (0, FIRST + SECOND, "")
    assert kubelet.place.sluice("logs", "support-1", "--tail", "2").stdout == "".join(
        (FIRST + SECOND).splitlines(keepends=True)[-2:]
    )


def test_what_one_step_printed_is_told_without_its_name_as_by_the_embedded_server(kubelet: Kubelet) -> None:
    two_pods(kubelet)
    assert kubelet.place.sluice("logs", "support-1", "--step", "fetch").stdout == "12 orders\npost| of yesterday\n"
    assert kubelet.place.sluice("logs", "support-1", "--step", "post", "--tail", "1").stdout == "sent\n"
    assert kubelet.place.sluice("logs", "support-1", "--step", "nope").stdout == ""


def test_a_pod_that_did_not_begin_has_nothing_to_tell(kubelet: Kubelet) -> None:
    kubelet.pod("support-1-a", run_of(kubelet))
    assert kubelet.place.sluice("logs", "support-1").stdout == ""


def test_pods_of_another_run_are_not_listened_to(kubelet: Kubelet) -> None:
    kubelet.pod("support-1-a", {"metadata": {"uid": "another"}})
    kubelet.begins("support-1-a")
    result = kubelet.place.sluice("logs", "support-1")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: support-1 has no pods; {NOTHING_IS_RECORDED}sluice-system")


@pytest.mark.parametrize(
    ("run", "says"),
    [("support-1", "support-1 has no pods any more"), ("nope", 'there is no run "nope" in the namespace cli-')],
)
def test_where_no_pods_are_left_it_says_what_is_missing(kubelet: Kubelet, run: str, says: str) -> None:
    kubelet.place.report(WORKFLOW_RUN, "support-1", phase="Succeeded")
    result = kubelet.place.sluice("logs", run)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {says}")
    assert NOTHING_IS_RECORDED in result.stderr


def test_a_log_that_cannot_be_read_is_named_after_the_others(kubelet: Kubelet) -> None:
    two_pods(kubelet)
    kubelet.place.kubectl(
        "patch", "node", kubelet.node, "--subresource=status", "--type=merge", "-p", '{"status": {"addresses": []}}'
    )
    result = kubelet.place.sluice("logs", "support-1")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the log of pod support-1-a can't be read: ")
    assert "\nthe log of pod support-1-b can't be read: " in result.stderr


def test_pods_in_another_cluster_are_out_of_reach(cluster: ClusterPlace) -> None:
    cluster.make(environment(cluster={"kubeconfigSecret": "east", "runnerUrl": "https://sluice.example.com:8443"}))
    cluster.make(manifest("WorkflowRun", "far", {"input": {"workflow": "support", "environment": "production"}}))
    assert "the pods of environment production are in another cluster" in cluster.sluice("logs", "far").stderr


@contextmanager
def following(place: ClusterPlace, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [str(Path(sys.executable).with_name("sluice")), "logs", "support-1", "-f", *words, *place.where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_following_goes_from_pod_to_pod_until_the_run_ended(kubelet: Kubelet) -> None:
    with following(kubelet.place) as process:
        assert process.stdout is not None
        kubelet.pod("support-1-a", run_of(kubelet))
        kubelet.begins("support-1-a")
        for line in FIRST.splitlines(keepends=True):
            kubelet.prints("support-1-a", line)
            assert process.stdout.readline() == line
        kubelet.ends("support-1-a")
        kubelet.pod("support-1-b", run_of(kubelet), epoch=2)
        kubelet.begins("support-1-b")
        kubelet.prints("support-1-b", SECOND)
        assert process.stdout.readline() == SECOND
        kubelet.place.report(WORKFLOW_RUN, "support-1", phase="Succeeded")
        kubelet.ends("support-1-b")
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_a_connection_that_is_cut_is_taken_up_without_a_line_lost_or_repeated(kubelet: Kubelet) -> None:
    kubelet.pod("support-1-a", run_of(kubelet))
    kubelet.begins("support-1-a")
    kubelet.prints("support-1-a", "fetch| one\n")
    with following(kubelet.place, "--step", "fetch") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "one\n"
        kubelet.cuts("support-1-a")
        eventually(lambda: len(kubelet.followed) > 1, "it is followed again")
        kubelet.prints("support-1-a", "fetch| two\n")
        assert process.stdout.readline() == "two\n"
        kubelet.place.report(WORKFLOW_RUN, "support-1", phase="Succeeded")
        kubelet.ends("support-1-a")
        assert process.communicate(timeout=20) == ("", "")


def test_a_pod_that_is_removed_while_it_is_followed_is_no_error(kubelet: Kubelet) -> None:
    kubelet.pod("support-1-a", run_of(kubelet))
    kubelet.begins("support-1-a")
    kubelet.prints("support-1-a", "fetch| one\n")
    with following(kubelet.place) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "fetch| one\n"
        kubelet.goes("support-1-a")
        kubelet.cuts("support-1-a")
        kubelet.place.report(WORKFLOW_RUN, "support-1", phase="Error")
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_what_a_pod_says_after_its_run_ended_is_waited_for(kubelet: Kubelet) -> None:
    kubelet.pod("support-1-a", run_of(kubelet))
    kubelet.begins("support-1-a")
    kubelet.prints("support-1-a", "fetch| one\n")
    kubelet.place.report(WORKFLOW_RUN, "support-1", phase="Succeeded")
    with following(kubelet.place) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "fetch| one\n"
        kubelet.prints("support-1-a", "last words\n")
        kubelet.ends("support-1-a")
        assert process.communicate(timeout=20) == ("last words\n", "")


def test_pods_and_lines_are_known_by_what_the_controller_and_the_runner_write() -> None:
    assert (RUN_UID, RUNNER) == (names.RUN_UID_LABEL, pods.CONTAINER)
    ended = Event(STEP_ENDED, "fetch", 1, 0, {"phase": "Succeeded", "reason": "Completed", "log": "12 orders\n"})
    assert next(iter(lines_of(ended))) == "fetch| 12 orders"
