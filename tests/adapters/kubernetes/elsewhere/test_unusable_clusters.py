"""A kubeconfig that can't be used is told with what to do, and asked about no more often than need be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.ports.errors import Forbidden
from tests.adapters.kubernetes.elsewhere.far_clusters import FAR, KEY, Bench
from tests.adapters.kubernetes.elsewhere.secrets import kubeconfig, put
from tests.adapters.sqlite.stores import Opened


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Opened() as opened:
        made = Bench(opened.store)
        yield made
        made.clusters.close()


def test_a_missing_secret_is_told_with_what_makes_it(bench: Bench) -> None:
    told = bench.refusal()
    assert "there is no Secret far in namespace default" in told
    assert "kubectl create secret generic far -n default --from-file=kubeconfig=FILE" in told
    assert bench.refusal(bench.clusters.of) == told

    bench.put()
    bench.pass_time()
    assert bench.clusters.usable(FAR).key == KEY


def test_a_secret_that_may_not_be_read_is_told_with_the_role_to_grant(bench: Bench) -> None:
    bench.put()
    said = 'secrets "far" is forbidden: User "system:serviceaccount:ops:sluice" cannot get resource "secrets"'
    bench.secrets.error = Forbidden(said)
    told = bench.refusal()
    assert "the controller may not read Secret far in namespace default" in told
    assert "kubectl create role sluice-kubeconfig-far -n default --verb=get --resource=secrets" in told
    assert "--resource-name=far" in told
    assert "--serviceaccount=ops:sluice" in told

    bench.secrets.error = None
    bench.pass_time()
    assert bench.clusters.usable(FAR).key == KEY


def test_a_refusal_is_not_asked_about_by_each_run_that_waits(bench: Bench) -> None:
    for _ in range(100):
        bench.refusal()
    assert bench.secrets.asked == 1


def test_what_is_refused_in_a_kubeconfig_names_secret_field_and_remedy(bench: Bench) -> None:
    bench.put(exec={"command": "aws"})
    assert bench.refusal() == (
        "the kubeconfig in Secret far in namespace default: users[0].user.exec is refused: no command is run for it;"
        " use token, or a client certificate"
    )


def test_a_server_that_no_connection_can_be_made_to_is_told(bench: Bench) -> None:
    put(bench.store, kubeconfig("https://a%zz"))
    assert "'a%zz' is not a valid host or port" in bench.refusal()
