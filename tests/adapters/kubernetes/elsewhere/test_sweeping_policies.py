"""NetworkPolicies go after their environments, wherever they are, and not before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.api.environment import Environment
from sluice.api.kinds import ENVIRONMENT
from sluice.domain.launching.placement import placement_of
from sluice.ports.errors import Unavailable
from sluice.ports.store import Ref
from tests.adapters.kubernetes.elsewhere.sweeping import Bench, policy
from tests.adapters.sqlite.stores import Opened
from tests.contracts.store.builders import eventually


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Opened() as opened:
        made = Bench(opened)
        made.environment("far", cluster={"kubeconfigSecret": "far", "runnerUrl": "https://x:1"})
        yield made


def test_a_policy_is_kept_with_its_environment_and_deleted_after_it(bench: Bench) -> None:
    here, far = bench.environment("here"), bench.environments[0]
    bench.home.policies_there, bench.far.policies_there = [policy(here)], [policy(far)]
    assert bench.sweep() == []

    for made in (here, far):
        bench.store.delete(_ref(made))
    assert bench.sweep() == ["sluice-runner-here", "sluice-runner-far.default"]


def test_a_policy_is_kept_while_something_runs_that_it_is_about(bench: Bench) -> None:
    here = bench.environment("here")
    bench.home.policies_there, bench.home.in_use = [policy(here)], True
    bench.store.delete(_ref(here))
    assert bench.sweep() == []


def test_the_policy_of_an_environment_that_moved_goes_where_it_was_left(bench: Bench) -> None:
    here = bench.environment("here", namespace="jobs")
    left = {**policy(here), "metadata": {**policy(here)["metadata"], "namespace": "former"}}
    bench.home.policies_there, bench.far.policies_there = [left, policy(here)], [policy(here)]
    bench.sweep()
    assert bench.home.removed == bench.far.removed == ["sluice-runner-here.default"]


def test_a_policy_that_somebody_took_over_is_theirs(bench: Bench) -> None:
    here = bench.environment("here")
    taken = policy(here)
    taken["metadata"]["labels"] = {}
    bench.store.delete(_ref(here))
    bench.home.policies_there = [taken]
    assert bench.sweep() == []


def test_what_an_environment_leaves_on_a_cluster_that_nobody_names_any_more_goes_at_once(bench: Bench) -> None:
    far = bench.environments[0]
    bench.far.policies_there = [policy(far)]
    bench.environments.clear()
    assert bench.sweep() == []
    bench.store.delete(_ref(far))
    bench.made.environment_gone(placement_of(far, embedded=False))
    assert bench.sweep() == [policy(far)["metadata"]["name"]]
    assert bench.sweep() == []


def test_it_is_tried_again_while_that_cluster_is_away(bench: Bench) -> None:
    far = bench.environments[0]
    bench.far.policies_there, bench.far.error = [policy(far)], Unavailable("away")
    bench.environments.clear()
    bench.store.delete(_ref(far))
    bench.made.environment_gone(placement_of(far, embedded=False))
    assert bench.sweep() == []
    bench.far.error = None
    assert bench.sweep() == [policy(far)["metadata"]["name"]]


def test_an_environment_that_goes_wakes_the_sweep(bench: Bench) -> None:
    here = bench.environment()
    bench.made.start()
    try:
        bench.home.policies_there = [policy(here)]
        bench.store.delete(_ref(here))
        bench.made.environment_gone(placement_of(here, embedded=False))
        eventually(lambda: bool(bench.home.removed), "its policy is deleted, long before the next round")
    finally:
        bench.made.close()


def _ref(environment: Environment) -> Ref:
    return Ref(ENVIRONMENT, environment.metadata.namespace, environment.metadata.name)
