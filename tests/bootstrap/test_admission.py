"""What the embedded server refuses beyond the rules of the kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api import kinds
from sluice.bootstrap.admission import embedded_admission
from sluice.crds.bundle import schemas
from sluice.ports.errors import Forbidden, Invalid
from sluice.ports.store import Actor

ANA = Actor("ana@example.com")


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    writer = Writer(":memory:")
    known = schemas()
    made = SqliteStore(writer, embedded_admission(known), schemas=lambda kind: known.get(kind.kind))
    yield made
    made.close()
    writer.close()


def run(payload: Any) -> dict[str, Any]:
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": "WorkflowRun",
        "metadata": {"name": "r", "namespace": "default"},
        "spec": {"input": {"workflow": "greet", "payload": payload}},
    }


def test_nobody_but_the_controller_states_a_fact(store: SqliteStore) -> None:
    made = store.create(run({}))
    forged = {**made, "status": {"phase": "Failed"}}

    with pytest.raises(Forbidden, match="is the controller's"):
        store.acting_as(ANA).update_status(forged)
    assert store.update_status(forged)["status"]["phase"] == "Failed"


def test_the_server_says_who_started_a_run(store: SqliteStore) -> None:
    assert store.acting_as(ANA).create(run({}))["spec"]["input"]["actor"] == "ana@example.com"


def test_a_payload_over_a_mebibyte_is_refused_by_name(store: SqliteStore) -> None:
    with pytest.raises(Invalid) as refused:
        store.create(run("x" * (1024 * 1024)))

    assert [cause.field for cause in refused.value.causes] == ["spec.input.payload"]
    assert store.create(run("x" * (1024 * 1024 - 2)))["metadata"]["name"] == "r"
