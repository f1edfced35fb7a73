"""Every YAML block of README and docs is applied to the embedded server's store, through its own admission.

A block holds whole objects. One that shows a part says where it belongs by the comment above it, such as
``<!-- in: Workflow spec.definition -->``; it is then put there, in an object that lacks nothing else. ``, instead of
definition`` takes that field out first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from sluice.adapters.sqlite.store import SqliteStore
from sluice.adapters.sqlite.writer import Writer
from sluice.api.kinds import API_VERSION
from sluice.bootstrap.admission import embedded_admission
from sluice.crds import schemas
from sluice.domain.definition.validation.execution import not_executable
from sluice.ports.clock import SystemClock
from tests.docs.blocks import Block, blocks

BLOCKS = blocks("yaml", "yml")
PART = re.compile(r"in: (?P<kind>\w+) (?P<path>[\w.]+)(?:, instead of (?P<without>\w+))?")
WHOLE: dict[str, dict[str, Any]] = {
    "Workflow": {
        "owner": "ana@example.com",
        "definition": {"steps": [{"name": "only", "action": {"python": {"code": "output = 1"}}}]},
    },
    "Rollout": {"percent": 100},
}
"""The spec of an object that lacks nothing, by kind."""


@pytest.fixture(scope="module")
def store() -> Iterator[SqliteStore]:
    known = schemas()
    writer = Writer(":memory:")
    made = SqliteStore(writer, embedded_admission(known), SystemClock(), lambda kind: known.get(kind.kind))
    yield made
    made.close()
    writer.close()


def objects(block: Block) -> list[dict[str, Any]]:
    """What a block declares."""
    documents = [document for document in yaml.safe_load_all(block.text) if document is not None]
    if not block.note:
        return documents
    part = PART.fullmatch(block.note)
    assert part is not None, f"{block}: the comment {block.note!r} does not say where the block belongs"
    assert len(documents) == 1, f"{block}: a part is one document"
    spec = deepcopy(WHOLE[part["kind"]])
    if part["without"]:
        del spec[part["without"]]
    made: dict[str, Any] = {"apiVersion": API_VERSION, "kind": part["kind"], "metadata": {"name": "part"}, "spec": spec}
    place = made
    for key in part["path"].split("."):
        place = place[key]
    place.update(documents[0])
    if "tasks" in place or "nodes" in place:
        del place["steps"]
    return [made]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_accepted_by_the_server(block: Block, store: SqliteStore) -> None:
    found = objects(block)
    assert found, f"{block} is empty"
    for obj in found:
        assert obj.get("apiVersion") == API_VERSION, f"{block}: a part needs a comment that says where it belongs"
        metadata = {"namespace": "default", **obj["metadata"]}
        stored = (
            store.create({**obj, "metadata": metadata}, dry_run=True)
            if "generateName" in metadata
            else store.apply({**obj, "metadata": metadata}, manager="docs", force=True, dry_run=True)
        )
        assert stored["kind"] == obj["kind"]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_what_a_block_defines_is_executed_by_this_release(block: Block) -> None:
    definitions = [obj["spec"]["definition"] for obj in objects(block) if "definition" in obj["spec"]]
    assert [str(finding) for definition in definitions for finding in not_executable(definition)] == []


def test_every_document_with_a_kind_shows_it_in_yaml() -> None:
    shown = {obj["kind"] for block in BLOCKS for obj in objects(block)}
    assert shown == {"Workflow", "Rollout", "Environment", "EnvironmentState", "WorkflowRun"}
