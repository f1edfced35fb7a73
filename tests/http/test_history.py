"""What the ledger knows of runs, over HTTP: also when their objects, or their workflow, have gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.api import kinds
from sluice.http.history import history_group
from sluice.http.kubernetes.authn import Access
from sluice.http.server import compose
from sluice.ports.store import Actor, Ref
from tests.http.client import Client
from tests.simulation.embedded import Simulation

RUNS = "/apis/sluice.dev/v1alpha1/namespaces/default/workflowruns"
HISTORY = "/api/sluice/v1/namespaces/default/runs"


@pytest.fixture
def world() -> Iterator[Simulation]:
    simulation = Simulation()
    simulation.environment()
    simulation.workflow()
    simulation.settle()
    simulation.run("r")
    simulation.finish_runs()
    yield simulation
    simulation.close()


@pytest.fixture
def client(world: Simulation) -> Iterator[Client]:
    made = Client(compose([history_group(world.store, world.ledger, Access(anonymous=Actor("ana", ())))]))
    yield made
    made.close()


def get(client: Client, url: str) -> Any:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_report_says_what_every_step_gave(client: Client) -> None:
    report = get(client, f"{RUNS}/r/report")

    assert report["success"] is True
    assert len(report["steps"]) == 2


def test_a_record_outlives_its_object(world: Simulation, client: Client) -> None:
    world.store.delete(Ref(kinds.WORKFLOW_RUN, "default", "r"))
    world.settle()

    assert get(client, f"{RUNS}/r/report")["success"] is True
    assert [run["name"] for run in get(client, HISTORY)["runs"]] == ["r"]


def test_a_report_is_not_read_by_the_version_of_another_workflow(world: Simulation, client: Client) -> None:
    world.store.delete(Ref(kinds.WORKFLOW, "default", "greet"))
    world.settle()
    world.workflow(code="output = 2")
    world.pass_time(seconds=5)
    answer = client.get(f"{RUNS}/r/report")

    assert answer.status_code == 404
    assert "went with its workflow" in answer.json()["message"]
    assert client.get(f"{RUNS}/r/log").status_code == 200


def test_a_run_that_was_refused_has_a_report_too(world: Simulation, client: Client) -> None:
    world.run("bad", workflow="nobody")
    world.settle()
    report = get(client, f"{RUNS}/bad/report")

    assert (report["success"], report["reason"]) == (False, "WorkflowNotFound")


def test_pages_of_history_go_back_in_time(world: Simulation, client: Client) -> None:
    for n in range(3):
        world.clock.advance(seconds=1)
        world.run(f"r{n}")
        world.settle()
    newest = get(client, f"{HISTORY}?limit=2&workflow=greet")["runs"]
    assert [run["name"] for run in newest] == ["r2", "r1"]
    created = int(world.clock.now().timestamp() - 1) * 1_000_000

    assert [run["name"] for run in get(client, f"{HISTORY}?before={created}")["runs"]] == ["r0", "r"]


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "٣", "9" * 19, "9" * 5000])
def test_what_is_no_number_is_refused_by_name(client: Client, number: str) -> None:
    answer = client.get(HISTORY, params={"limit": number})

    assert answer.status_code == 400
    assert "limit must be a whole number" in answer.json()["message"]


def test_nobody_sees_it_without_leave(world: Simulation) -> None:
    closed = Client(compose([history_group(world.store, world.ledger, Access())]))
    assert closed.get(f"{RUNS}/r/report").status_code == 401
    assert closed.get(HISTORY).status_code == 401
    closed.close()


def test_a_run_that_nobody_knows_is_not_found(client: Client) -> None:
    assert client.get(f"{RUNS}/nobody/report").status_code == 404
