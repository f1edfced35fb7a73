"""What is right has no findings, in every spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.validation.definitions import Context, validate
from sluice.domain.definition.validation.findings import errors
from tests.domain.definition.validation.definitions import found, http, python

VECTORS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parents[1] / "vectors").glob("*.json")
}


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_the_golden_definitions_are_valid_in_every_spelling_and_in_canonical_form(name: str) -> None:
    for definition in (*VECTORS[name]["spellings"], VECTORS[name]["canonical"]):
        assert errors(validate(definition)) == []


def test_every_kind_of_place_sees_what_it_may() -> None:
    definition = {
        "params": {"host": {"type": "string"}, "limit": {"type": "integer", "default": 3, "enum": [1, 3]}},
        "trigger": {"api": {"schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}},
        "context": {"seen": 0},
        "stickyKey": "${ payload.customer }-${ params.host }",
        "steps": [
            python("fetch", code="output = steps, params['host'], payload"),
            http(
                "send",
                "fetch",
                url="https://${ params.host }/${ steps.fetch.output.id }",
                when="${ params.limit > 1 && steps.fetch.phase == 'Succeeded' }",
                retry={"limit": 2, "when": "${ error.status >= 500 }"},
                onError={"goto": "sorry", "then": "Fail"},
            ),
            python("sorry", code="output = steps['fetch']['output']", when="${ error.step == 'send' }"),
            http("after", "sorry?", body={"all": "${ context.seen }", "run": "${ run.id } by ${ trigger.type }"}),
        ],
        "finally": [http("tell", body="${ run.phase } ${ steps.send.phase } ${ error.message }")],
        "outputs": {"id": "${ steps.fetch.output.?id.orValue(0) }"},
    }
    assert found(definition) == []


def test_in_sequential_every_earlier_step_is_visible() -> None:
    steps = [python("a"), http("b", body="${ steps.a.output }")]
    assert found({"steps": steps, "execution": "Sequential"}) == []
    assert "add it to needs" in found({"steps": steps})[0]


def test_a_loop_gives_its_item_to_its_graph() -> None:
    loop = {"name": "each", "logic": {"forEach": {"in": "${ payload.orders }", "as": "order", "graph": "pay"}}}
    graphs = {
        "pay": {"params": {"tax": {"type": "number"}}, "steps": [http("x", body="${ order.id } ${ params.tax }")]}
    }
    assert found({"steps": [loop], "graphs": graphs}) == []
    assert "order" in found({"steps": [python("a")], "graphs": graphs})[0]


def test_nulls_are_as_good_as_nothing() -> None:
    step = python("a") | {"when": None, "retry": None, "onError": None, "needs": None, "logic": None}
    definition: dict[str, Any] = {"steps": [step], "finally": None, "graphs": None, "trigger": None, "nodes": None}
    assert found(definition) == []
    assert canonicalize(definition) == canonicalize({"steps": [python("a")]})


def test_a_file_may_stand_in_a_file_but_not_on_a_server() -> None:
    definition = {"steps": [{"name": "a", "action": {"python": {"file": "a.py"}}}]}
    assert validate(definition, Context(files=True)) == []
    assert "a server can't see files" in found(definition)[0]


def test_requirements_that_are_exact_and_locked_bring_their_modules() -> None:
    action = {
        "code": "import pandas as pd\noutput = pd.io",
        "requirements": ["pandas==2.2.3"],
        "lock": [f"pandas==2.2.3 --hash=sha256:{'a' * 64}"],
    }
    assert found({"steps": [{"name": "a", "action": {"python": action}}]}) == []
    assert "is not locked" in found({"steps": [{"name": "a", "action": {"python": action | {"lock": []}}}]})[0]
