"""What launches on clusters, put together: who is looked at again when another cluster is back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.adapters.kubernetes.credentials import Token
from sluice.adapters.kubernetes.launching.clusters import cluster_on
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.bootstrap.launching import Launching, Surroundings
from sluice.runtime.queue import Key
from tests.adapters.kubernetes.elsewhere.far_clusters import FAR
from tests.adapters.kubernetes.elsewhere.secrets import kubeconfig, put
from tests.adapters.kubernetes.scripted import Answer, refused, scripted
from tests.bootstrap.exposed import Stranger
from tests.contracts.store.builders import eventually
from tests.domain.launching.builders import INSTALLATION
from tests.runner.authority import NAME, vouch
from tests.simulation.embedded import Simulation


@pytest.fixture
def world() -> Iterator[Simulation]:
    simulation = Simulation()
    yield simulation
    simulation.close()


def launching(world: Simulation, looked_at: list[Key]) -> Launching:
    """Of a replica whose own cluster is nowhere."""
    surroundings = Surroundings(
        home=cluster_on(Transport(Token("http://127.0.0.1:1", "none")), "test"),
        store=world.store,
        ledger=world.ledger,
        clock=world.clock,
        installation=INSTALLATION,
        leading=Stranger(),
        may_write=lambda: True,
        environments=lambda: world.list(kinds.ENVIRONMENT),
    )
    made = Launching(surroundings)
    made.containers(lambda namespace, name: None)
    system: Any = world.system
    made.attach(lambda: system.engine, looked_at.append)
    return made


def test_when_a_cluster_is_back_its_environments_are_looked_at_and_no_others(world: Simulation, tmp_path: Path) -> None:
    world.environment("near")
    for name in ("far-1", "far-2"):
        world.environment(name, cluster={"kubeconfigSecret": "far"})
    world.environment("farther", cluster={"kubeconfigSecret": "other"})
    looked_at: list[Key] = []
    made = launching(world, looked_at)
    vouched = vouch(tmp_path)
    unheard, heard = Answer(then="vanish"), refused(404, "NotFound")
    with scripted(unheard, unheard, heard, tls=vouched.context) as server:
        config = kubeconfig(server.url)
        authority = base64.b64encode(vouched.authority.encode()).decode()
        config["clusters"][0]["cluster"] |= {"tls-server-name": NAME, "certificate-authority-data": authority}
        put(world.store, config)
        made.clusters.usable(FAR)  # connects, and follows the pods there
        eventually(lambda: len(looked_at) == 2, "the environments are looked at")
        made.close()
    assert set(looked_at) == {Key("default", "far-1"), Key("default", "far-2")}
