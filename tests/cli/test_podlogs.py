"""Whose lines are printed, in which order, and each of them once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from sluice.api.kinds import KindInfo
from sluice.cli.client import Client
from sluice.cli.failures import Failed, Refused
from sluice.cli.podlogs import NoPods, PodLogs, client_of_pods
from sluice.ports.store import Obj
from tests.cli.place import environment, manifest


def pod(name: str, at: int, phase: str = "Running") -> Obj:
    state: Obj = {"Running": {"running": {}}, "Pending": {"waiting": {}}}.get(phase, {"terminated": {}})
    metadata = {"name": name, "uid": f"uid of {name}", "creationTimestamp": f"2026-01-31T08:00:0{at}Z"}
    return {
        "metadata": metadata,
        "status": {"phase": phase, "containerStatuses": [{"name": "sidecar"}, {"name": "runner", "state": state}]},
    }


class FakeCluster:
    """What the verb asks of a client: pods, their lines, and an environment."""

    def __init__(self, *pods: Obj, lines: Mapping[str, list[str] | Refused], environment: Obj | None = None) -> None:
        self.pods = {each["metadata"]["name"]: each for each in pods}
        self.printed = dict(lines)
        self.environment = environment
        self.namespace = "team"
        self.read: list[str] = []

    def list(self, kind: KindInfo, chosen: Mapping[str, str]) -> list[Obj]:
        assert (kind.kind, chosen) == ("Pod", {"labelSelector": "sluice.dev/run-uid=u1"})
        return [*self.pods.values()][::-1]

    def find(self, kind: KindInfo, name: str) -> Obj | None:
        return self.pods.get(name) if kind.kind == "Pod" else self.environment

    def path(self, kind: KindInfo, name: str) -> str:
        return name

    def within(self, namespace: str | None) -> FakeCluster:
        self.namespace = namespace or self.namespace
        return self

    def lines(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        name = path.removesuffix("/log")
        self.read.append(f"{name} follow" if query.get("follow") else name)
        printed = self.printed[name]
        if isinstance(printed, Refused):
            raise printed
        yield from (line.encode() for line in printed)


def logs_of(cluster: FakeCluster, step: str = "") -> PodLogs:
    return PodLogs(cast(Client, cluster), "u1", step)


def test_pods_are_read_in_the_order_in_which_they_were_made() -> None:
    cluster = FakeCluster(pod("b", 1, "Succeeded"), pod("a", 2), lines={"a": ["two"], "b": ["one"]})
    assert [*logs_of(cluster).lines()] == ["one\n", "two\n"]


def test_each_line_is_given_once_however_often_one_looks() -> None:
    cluster = FakeCluster(pod("a", 1), lines={"a": ["one"]})
    logs = logs_of(cluster)
    assert [*logs.lines(follow=True)] == ["one\n"]
    assert not logs.is_whole
    cluster.printed["a"] = ["one", "two"]
    cluster.pods["a"] = pod("a", 1, "Succeeded")
    assert [*logs.lines(follow=True)] == ["two\n"]
    assert logs.is_whole
    assert [*logs.lines(follow=True)] == []
    assert cluster.read == ["a follow", "a"], "what ended is not followed, and read no more once it was read"


def test_only_what_one_step_printed_without_its_name() -> None:
    printed = ["2026-01-31T08:00:01Z fetch started, attempt 1", "fetch| one", "fetch2| two", "post| fetch| three"]
    cluster = FakeCluster(pod("a", 1), lines={"a": printed})
    assert [*logs_of(cluster, "fetch").lines()] == ["one\n"]


@pytest.mark.parametrize("status", [{}, {"phase": "Failed"}, pod("a", 1, "Pending")["status"]])
def test_a_container_that_never_began_is_not_asked(status: Obj) -> None:
    cluster = FakeCluster({**pod("a", 1), "status": status}, lines={})
    assert [*logs_of(cluster).lines()] == []


def test_a_pod_that_goes_meanwhile_is_passed_over() -> None:
    known = [pod("first", 0), pod("a", 1), pod("b", 2)]
    cluster = FakeCluster(*known, lines={"first": ["zero"], "a": Refused({}, 404), "b": ["two"]})
    lines = logs_of(cluster).lines()
    assert next(lines) == "zero\n"
    del cluster.pods["a"]
    assert [*lines] == ["two\n"]


@pytest.mark.parametrize("code", [400, 403, 404, 500])
def test_a_log_that_cannot_be_read_is_told_when_the_others_were(code: int) -> None:
    cluster = FakeCluster(pod("a", 1), pod("b", 2), lines={"a": Refused({"message": "no"}, code), "b": ["two"]})
    given: list[str] = []
    with pytest.raises(Failed, match="the log of pod a can't be read: no"):
        given.extend(logs_of(cluster).lines())
    assert given == ["two\n"]


RUN: dict[str, Any] = manifest("WorkflowRun", "r", {"input": {"workflow": "w", "environment": "asked"}})


@pytest.mark.parametrize(
    ("spec", "namespace"), [({}, "team"), ({"namespace": "runs"}, "runs"), (None, "team")], ids=["own", "other", "gone"]
)
def test_pods_are_where_the_environment_runs_them(spec: Obj | None, namespace: str) -> None:
    cluster = FakeCluster(lines={}, environment=None if spec is None else environment(**spec))
    assert client_of_pods(cast(Client, cluster), RUN).namespace == namespace


def test_pods_in_another_cluster_are_none_here() -> None:
    cluster = FakeCluster(lines={}, environment=environment(cluster={"kubeconfigSecret": "east"}))
    with pytest.raises(NoPods, match="the pods of environment pinned are in another cluster"):
        client_of_pods(cast(Client, cluster), {**RUN, "spec": {**RUN["spec"], "pin": {"environment": "pinned"}}})


def test_a_step_with_a_pod_of_its_own_has_its_name_before_its_lines() -> None:
    own = pod("b", 2, "Succeeded")
    own["metadata"]["labels"] = {"sluice.dev/unit": "steps.build.1"}
    own["status"]["containerStatuses"] = [{"name": "step", "state": {"terminated": {}}}]
    cluster = FakeCluster(pod("a", 1, "Succeeded"), own, lines={"a": ["greet| hi"], "b": ["made it", "done"]})

    assert list(logs_of(cluster).lines()) == ["greet| hi\n", "build| made it\n", "build| done\n"]
    assert list(logs_of(cluster, "build").lines()) == ["made it\n", "done\n"]
