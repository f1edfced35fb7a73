"""Which connection a placement gets: by its Secret, opened when it is needed and closed when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.launching.clusters import HOME, ClusterKey
from sluice.adapters.kubernetes.launching.connections import Connector
from sluice.adapters.kubernetes.launching.remote import keys_of
from sluice.api.environment import Launch
from sluice.ports.errors import PortError, Unavailable
from sluice.ports.store import Obj
from tests.adapters.kubernetes.elsewhere.far_clusters import FAR, KEY, NEAR, Bench
from tests.adapters.kubernetes.elsewhere.secrets import REF, put
from tests.adapters.kubernetes.scripted import Answer, refused, scripted
from tests.adapters.sqlite.stores import Opened
from tests.contracts.store.builders import eventually


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Opened() as opened:
        made = Bench(opened.store)
        yield made
        made.clusters.close()


def test_home_needs_no_secret(bench: Bench) -> None:
    assert bench.clusters.of(NEAR) is bench.home
    assert bench.clusters.usable(NEAR) is bench.home
    assert (bench.home.key, bench.secrets.asked) == (HOME, 0)


def test_another_cluster_is_opened_once_by_who_needs_it_first(bench: Bench) -> None:
    bench.put()
    first = bench.clusters.of(FAR)
    assert (first.key, bench.lines[0].started) == (KEY, True)
    assert bench.lines[0].credentials.authorization() == "Bearer secret"
    assert bench.clusters.of(FAR) is bench.clusters.usable(FAR) is first
    assert (len(bench.lines), bench.secrets.asked) == (1, 1)


def test_a_launch_looks_at_the_secret_now_and_then_and_looking_after_does_not(bench: Bench) -> None:
    bench.put()
    for _ in range(3):
        bench.pass_time()
        bench.clusters.usable(FAR)
        for _ in range(5):
            bench.clusters.usable(FAR)
            bench.clusters.of(FAR)
    assert (len(bench.lines), bench.secrets.asked) == (1, 3)


def test_a_rotated_secret_gets_another_connection(bench: Bench) -> None:
    bench.put(token="old")
    before = bench.clusters.usable(FAR)
    bench.put(token="new")
    assert bench.clusters.usable(FAR) is before

    bench.pass_time()
    after = bench.clusters.usable(FAR)
    assert after is bench.clusters.of(FAR) is not before
    assert [(line.credentials.authorization(), line.closed) for line in bench.lines] == [
        ("Bearer old", True),
        ("Bearer new", False),
    ]


def test_a_look_can_be_asked_for(bench: Bench) -> None:
    bench.put(token="old")
    before = bench.clusters.usable(FAR)
    bench.put(token="new")
    assert bench.clusters.usable(FAR, anew=True) is not before
    assert bench.secrets.asked == 2


def test_a_secret_that_changed_but_for_its_kubeconfig_keeps_the_connection(bench: Bench) -> None:
    bench.put()
    before = bench.clusters.usable(FAR)
    bench.store.patch(REF, {"metadata": {"annotations": {"touched": "today"}}})
    bench.pass_time()
    assert bench.clusters.usable(FAR) is before


def test_a_look_finds_what_nobody_launched_for(bench: Bench) -> None:
    bench.put(token="old")
    bench.clusters.usable(FAR)
    bench.put(token="new")
    bench.clusters.look()
    assert [line.closed for line in bench.lines] == [True, False]


@pytest.mark.parametrize("how", ["deleted", "spoiled"])
def test_what_was_launched_is_looked_after_when_nothing_more_may_be_launched(bench: Bench, how: str) -> None:
    bench.put()
    before = bench.clusters.usable(FAR)
    if how == "deleted":
        bench.store.delete(REF)
    else:
        put(bench.store, "no kubeconfig")
    bench.pass_time()

    bench.refusal()
    assert bench.clusters.of(FAR) is before
    assert not bench.lines[0].closed

    bench.put()
    bench.pass_time()
    assert bench.clusters.usable(FAR) is before, "it is the same kubeconfig"


def test_an_outage_at_home_changes_nothing(bench: Bench) -> None:
    bench.put()
    before = bench.clusters.usable(FAR)
    bench.secrets.error = Unavailable("no connection")
    bench.pass_time()
    with pytest.raises(Unavailable):
        bench.clusters.usable(FAR)
    bench.clusters.look()
    assert bench.clusters.of(FAR) is before
    bench.secrets.error = None
    assert bench.clusters.usable(FAR) is before


def test_a_connection_that_nobody_needs_is_closed_at_the_second_look(bench: Bench) -> None:
    bench.put()
    before = bench.clusters.usable(FAR)
    bench.needed.clear()
    bench.clusters.look()
    assert bench.clusters.of(FAR) is before
    bench.clusters.look()
    assert bench.lines[0].closed

    assert bench.clusters.of(FAR) is not before
    assert [line.closed for line in bench.lines] == [True, False]


def test_closing_closes_all_connections(bench: Bench) -> None:
    bench.put()
    bench.clusters.start()
    bench.clusters.of(FAR)
    bench.clusters.close()
    bench.clusters.close()
    assert [line.closed for line in bench.lines] == [True]


def test_a_token_that_is_refused_has_the_secret_looked_at(bench: Bench) -> None:
    bench.put(token="old")
    bench.clusters.of(FAR)
    bench.put(token="new")
    bench.clusters.start()
    bench.lines[0].credentials.renew()
    eventually(lambda: len(bench.lines) == 2, "it was connected anew")


def test_environments_name_clusters_by_workspace_secret_and_context() -> None:
    def environment(**spec: Any) -> Obj:
        return {"metadata": {"namespace": "team"}, "spec": spec}

    far = environment(cluster={"kubeconfigSecret": "far", "context": "east", "runnerUrl": "https://x:1"})
    plain = environment(cluster={"kubeconfigSecret": "far"})
    assert [*keys_of([environment(), far, plain])] == [ClusterKey("team", "far", "east"), ClusterKey("team", "far")]


def test_pods_of_a_connection_are_told_of_until_it_is_closed() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "jobs", "resourceVersion": "5"}}
    bookmark = {"kind": "Pod", "metadata": {"resourceVersion": "6"}}
    told: list[tuple[Any, ...]] = []

    class Watching:
        def seen(self, cluster: ClusterKey, pod: Obj, *, gone: bool) -> None:
            told.append((cluster, pod["metadata"]["name"], gone))

        def missed(self, cluster: ClusterKey, there: set[tuple[str, str]]) -> None:
            told.append((cluster, there))

    lines = ({"type": "ADDED", "object": pod}, {"type": "BOOKMARK", "object": bookmark})
    with scripted(Answer(lines=lines, then="hold"), refused(404, "NotFound")) as server:
        connector = Connector("sluice", lambda: True, Watching)
        connection = connector(KEY, Token(server.url, "x"))
        connection.start()
        eventually(lambda: len(told) == 2, "the pods were told of")
        connection.close()
        connection.close()
    assert told == [(KEY, "p", False), (KEY, {("jobs", "p")})]
    assert server.asked[0].query["labelSelector"].endswith("sluice.dev/controller=sluice")


def test_a_cluster_that_answers_again_is_told_of() -> None:
    told: list[ClusterKey] = []
    connection = Connector("sluice", lambda: True, lambda: None, told.append)(KEY, Token("https://127.0.0.1:1", "x"))  # type: ignore[arg-type,return-value]
    reach = connection.transport.reach
    with pytest.raises(Unavailable), reach.turn():
        raise Unavailable("no connection")
    with reach.turn(patient=True):
        assert told == []
    assert told == [KEY]
    connection.close()


def test_nothing_is_written_by_who_does_not_lead() -> None:
    with scripted(Answer(body={})) as server:
        connection = Connector("sluice", lambda: False, lambda: None)(KEY, Token(server.url, "x"))  # type: ignore[arg-type,return-value]
        with pytest.raises(PortError, match="not the leader"):
            connection.cluster.workloads.delete(Launch.JOB, "jobs", "j")
        assert server.asked == []
        connection.close()


def test_a_cluster_stands_while_it_may_be_used_and_answers(bench: Bench) -> None:
    assert bench.clusters.standing() == []
    bench.refusal()
    assert bench.clusters.standing() == [(KEY, False)]
    bench.put()
    bench.pass_time()
    bench.clusters.usable(FAR)
    assert bench.clusters.standing() == [(KEY, True)]
    bench.lines[0].is_away = True
    assert bench.clusters.standing() == [(KEY, False)]
