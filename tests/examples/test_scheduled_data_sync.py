"""Scheduled data sync (R233): extract, transform, upsert, tell the data team; R156: from one system into another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.examples.loading import load
from tests.examples.served import Served, example, listening

Systems = load("scheduled-data-sync/systems.py").Systems


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with example("scheduled-data-sync", tmp_path_factory.mktemp("sync")) as made:
        made.await_live("contact-sync")
        yield made


@pytest.fixture
def systems() -> Iterator[Any]:
    with listening(Systems()) as made:
        yield made


def sync(served: Served, systems: Any, **params: Any) -> dict[str, Any]:
    return served.run(
        "contact-sync",
        environment="sandbox",
        payload={"since": "2026-03-02"},
        params={"crmUrl": systems.url, "warehouseUrl": systems.url, **params},
    )


def test_what_changed_is_cleaned_and_put_into_the_warehouse(served: Served, systems: Any) -> None:
    run = sync(served, systems)

    assert run["status"]["outputs"] == {
        "read": 5,
        "written": 4,
        "rejected": [{"id": 104, "why": "deniz(at)example.com is no e-mail address"}],
    }
    assert systems.warehouse["105"] == {
        "id": 105,
        "name": "Eva Lindqvist",
        "email": "eva@example.se",
        "changed": "2026-03-03",
    }
    assert systems.warehouse["107"]["name"] == "Goran Petrović"


def test_the_data_team_reads_a_summary(served: Served, systems: Any) -> None:
    run = sync(served, systems)

    (message,) = systems.messages
    assert message["to"] == "data@example.com"
    assert message["text"] == f"{run['metadata']['name']} Succeeded: 5 read, 1 set aside"


def test_twice_is_once(served: Served, systems: Any) -> None:
    sync(served, systems)
    before = dict(systems.warehouse)
    sync(served, systems)

    assert systems.warehouse == before


def test_a_busy_crm_is_asked_again(served: Served, systems: Any) -> None:
    systems.failures = [503]

    assert sync(served, systems)["status"]["outputs"]["written"] == 4


def test_too_many_bad_rows_fail_the_run_write_nothing_and_are_told(served: Served, systems: Any) -> None:
    run = sync(served, systems, maxRejected=10)

    assert run["status"]["phase"] == "Failed"
    assert run["status"]["failure"]["step"] == "transform"
    assert "over maxRejected = 10" in run["status"]["failure"]["message"]
    assert systems.warehouse == {}
    assert "Failed: 5 read" not in systems.messages[0]["text"]
    assert "Failed" in systems.messages[0]["text"]


def test_nothing_new_is_nothing_to_write(served: Served, systems: Any) -> None:
    systems.contacts = []

    run = sync(served, systems)

    assert run["status"]["phase"] == "Succeeded"
    skipped = {step["name"]: step["reason"] for step in served.report(run)["skipped"]}
    assert skipped == {"upsert": "WhenFalse"}
