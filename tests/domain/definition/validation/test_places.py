"""A finding names the field as it was written, whatever the spelling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.definition.validation.definitions import found

BAD = "${ steps.gone.output }"


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"steps": [{"name": "a", "action": {"http": {"url": "https://x", "body": {"k": [BAD]}}}}]},
         "steps[0].action.http.body.k[0]"),
        ({"nodes": {"a": {"action": {"http": {"url": "https://x", "query": {"a b": BAD}}}}}},
         'nodes.a.action.http.query["a b"]'),
        ({"nodes": {"a": {"pyCode": "import os"}}}, "nodes.a.pyCode"),
        ({"tasks": [{"name": "a", "build": {"app": "w", "ref": BAD}}]}, "tasks[0].build.ref"),
        ({"tasks": [{"name": "a", "action": {"build": {"app": "w", "ref": BAD}}}]}, "tasks[0].action.build.ref"),
        ({"tasks": [{"name": "a", "build": {"app": "w", "promote": True}, "onError": {"then": "Fail"}}]},
         "tasks[0].onError.then"),
        ({"tasks": [{"name": "a", "build": {"app": "w", "promote": True}},
                    {"name": "b", "promote": {"app": "w", "release": BAD}}]}, "tasks[1].promote.release"),
        ({"steps": [{"name": "a", "skill": {"name": "s"}}], "graphs": {"g": {"steps": [{"name": "b", "mcp": {
            "connection": "m", "tool": "t", "arguments": {"x": BAD}}}]}}}, "graphs.g.steps[0].mcp.arguments.x"),
        ({"steps": [{"name": "a", "skill": {"name": "s"}}], "finally": [{"name": "b", "notify": {
            "connection": "m", "text": BAD}}]}, "finally[0].notify.text"),
        ({"steps": [{"name": "a", "skill": {"name": "s"}}], "graphs": {"g": {"steps": [{"name": "b", "skill": {
            "name": "s"}}], "outputs": {"o": BAD}}}}, "graphs.g.outputs.o"),
    ],
)  # fmt: skip
def test_the_field_is_where_it_was_written(definition: dict[str, Any], field: str) -> None:
    fields = [line.partition(": ")[0] for line in found(definition)]
    assert fields == [field]


def test_a_promotion_whose_name_is_taken_says_where_it_comes_from() -> None:
    tasks = [{"name": "b", "build": {"app": "w", "promote": True}}, {"name": "b_promote", "promote": {"app": "w"}}]
    assert found({"tasks": tasks}) == [
        "tasks[1].name: the name b_promote is taken by spec.definition.tasks[0].build.promote; give each step its own"
    ]
