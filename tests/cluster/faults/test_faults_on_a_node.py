"""Nothing is lost and nothing recorded twice when nodes break: 20 seeded scenarios with real pods on two real nodes.

What a step itself or its image does wrong is no fault of the cluster, and told as what it is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.api import kinds
from sluice.ports.store import Obj
from tests.adapters.postgres.server import Server
from tests.cluster.cluster import Running, Shape, cluster
from tests.cluster.faults.invariants import check
from tests.cluster.faults.machines import NODE_DISTURBANCES
from tests.cluster.faults.scenario import play, scenario_on
from tests.cluster.faults.site import Ground, Site, site

pytestmark = [pytest.mark.cluster, pytest.mark.node, pytest.mark.full]

SEEDS = 20
LOSS_S = 15
GREEDY = "output = len(bytearray(400_000_000))"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with cluster(tmp_path_factory.mktemp("nodes"), Shape(nodes=2, node_loss_s=LOSS_S)) as running:
        yield running


@pytest.fixture(scope="module")
def ground(running: Running) -> Ground:
    return Ground(running.plane, running.nodes, running.kubectl)


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_nothing_is_lost_when_nodes_break(seed: int, ground: Ground, postgres: Server, tmp_path: Path) -> None:
    story = scenario_on(NODE_DISTURBANCES, seed)
    print(story)
    ledger = postgres if story.postgres else None
    with site(ground, tmp_path, random.Random(-seed), postgres=ledger) as made:
        try:
            play(story, made)
            check(story, made)
        finally:
            print("\n".join(made.said))


@pytest.fixture
def plain(ground: Ground, tmp_path: Path) -> Iterator[Site]:
    with site(ground, tmp_path, random.Random(1), postgres=None) as made:
        yield made


def ended(made: Site, environment: Obj, code: str) -> Obj:
    """A run in an environment of its own whose leader is killed while it is under way."""
    made.space.apply(kinds.ENVIRONMENT, "other", {"type": "Sandbox", "defaultState": "Active", **environment})
    made.space.apply_workflow("one", code)
    made.wait(lambda: made.terms, "one leads", patience_s=60)
    made.space.wait_published("one", "v1")
    run = made.space.start("one", environment="other")
    made.wait(made.space.pods, "its pod is there", patience_s=60)
    made.leader().kill()
    made.leader().run()
    made.wait(lambda: (made.space.run(run).get("status") or {}).get("endedAt"), "it has ended", patience_s=180)
    return made.space.run(run)["status"]


def test_a_step_that_eats_its_memory_has_failed_though_the_leader_was_killed(plain: Site) -> None:
    status = ended(plain, {"runner": {"resources": {"limits": {"memory": "128Mi"}}}}, GREEDY)

    assert (status["phase"], status["failure"]["step"]) == ("Failed", "only")
    assert status["failure"]["reason"] == "StepOOM", status["failure"]


def test_an_image_that_is_missing_is_named_until_the_run_is_cancelled(plain: Site) -> None:
    missing = {"runner": {"image": "example.com/missing:1", "imagePullPolicy": "Never"}}
    plain.space.apply(kinds.ENVIRONMENT, "other", {"type": "Sandbox", "defaultState": "Active", **missing})
    plain.space.apply_workflow("one", "output = 1")
    plain.space.wait_published("one", "v1")
    run = plain.space.start("one", environment="other")
    shown = plain.space.wait_condition(run, "Ready", reason="ImagePullFailed")

    assert "example.com/missing:1" in shown["message"]
    plain.space.cancel(run)
    assert plain.space.wait_ended(run)["status"]["phase"] == "Cancelled"
    plain.space.wait_for(lambda: not plain.space.pods(), "its pod is gone")
