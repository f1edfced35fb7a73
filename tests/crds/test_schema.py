"""The generated schemas are what an API server takes: structural, bounded, and silent under the definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field

from sluice.api.fields import ApiModel, Resource
from sluice.api.kinds import SLUICE_KINDS
from sluice.crds.definitions import schema_of
from sluice.crds.schema import SchemaError, structural_schema

Schema = dict[str, Any]
SCHEMAS = {kind.kind: schema_of(kind) for kind in SLUICE_KINDS}
FREE = "x-kubernetes-preserve-unknown-fields"


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for part in ("items", "additionalProperties"):
        if part in schema:
            yield from nodes(schema[part], f"{path}[]")


def at(kind: str, path: str) -> Schema:
    schema = SCHEMAS[kind]
    for step in path.split("."):
        schema = (
            schema["items" if step == "[]" else "additionalProperties"]
            if step in {"[]", "{}"}
            else schema["properties"][step]
        )
    return schema


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_string_list_and_map_is_bounded(kind: str) -> None:
    bounds = {"array": "maxItems", "string": "maxLength"}
    unbounded = [
        path
        for path, node in nodes(SCHEMAS[kind]["properties"]["spec"], "spec")
        if (bound := bounds.get(node.get("type", ""), "maxProperties" if "additionalProperties" in node else None))
        and bound not in node
        and "enum" not in node
    ]
    unbounded += [
        path
        for path, node in nodes(SCHEMAS[kind]["properties"]["status"], "status")
        if (bound := bounds.get(node.get("type", ""))) and bound not in node and "enum" not in node
    ]
    assert unbounded == []


@pytest.mark.parametrize("kind", SCHEMAS)
def test_nothing_in_it_is_more_than_structural(kind: str) -> None:
    allowed = {"$ref", "anyOf", "oneOf", "allOf", "title", "const", "examples", "discriminator", "patternProperties"}
    for path, node in nodes(SCHEMAS[kind], kind):
        assert not allowed & node.keys(), path
        assert node.get("additionalProperties", {}) is not False, path
        assert "type" in node or FREE in node or "x-kubernetes-int-or-string" in node, path


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_required_field_exists_and_list_map_keys_are_required(kind: str) -> None:
    for path, node in nodes(SCHEMAS[kind], kind):
        assert set(node.get("required", ())) <= node.get("properties", {}).keys(), path
        assert set(node.get("x-kubernetes-list-map-keys", ())) <= set(node.get("items", {}).get("required", ())), path


def test_no_default_stands_under_the_definition_nor_in_a_status() -> None:
    quiet = [node for path, node in nodes(at("Workflow", "spec.definition"), "definition")]
    quiet += [node for kind in SCHEMAS for _, node in nodes(at(kind, "status"), kind)]
    assert [node for node in quiet if "default" in node] == []


def test_defaults_that_people_should_see_are_the_models_own() -> None:
    assert at("Workflow", "spec.scope")["default"] == "Organization"
    assert at("Rollout", "spec.fastRevert")["default"] == "30d"
    assert at("WorkflowRun", "spec.cancel")["default"] is False
    assert "default" not in at("Workflow", "spec.tags")


def test_a_versions_definition_takes_anything() -> None:
    definition = at("WorkflowVersion", "spec.definition")
    assert definition["additionalProperties"] == {FREE: True, "nullable": True}


def test_steps_are_a_list_with_names_as_keys() -> None:
    steps = at("Workflow", "spec.definition.steps")
    assert (steps["x-kubernetes-list-type"], steps["x-kubernetes-list-map-keys"]) == ("map", ["name"])


def test_a_percentage_is_a_whole_number_or_a_text_of_two_decimals() -> None:
    percent = at("Rollout", "spec.percent")
    assert percent["x-kubernetes-int-or-string"] is True
    assert (percent["minimum"], percent["maximum"], percent["maxLength"]) == (0, 100, 6)


def test_a_choice_of_words_is_an_enumeration_that_errors_can_list() -> None:
    assert at("Approval", "spec.risk")["enum"] == ["Low", "Medium", "High", "Critical"]


def test_the_docs_of_a_field_are_its_description_on_one_line() -> None:
    assert at("Workflow", "spec.owner")["description"] == "E-mail address of who answers for this workflow."
    assert all("\n" not in node.get("description", "") for _, node in nodes(SCHEMAS["Workflow"], ""))


def test_a_time_that_may_be_empty_is_not_held_to_a_format() -> None:
    assert "format" not in at("Rollout", "status.stable.since")
    assert at("Rollout", "status.since")["format"] == "date-time"


def test_unions_too_numerous_for_a_rule_are_counted_instead() -> None:
    tools = "agent.tools.[]"
    assert "x-kubernetes-validations" in at("Workflow", f"spec.definition.steps.[].{tools}")
    nested = at("Workflow", f"spec.definition.graphs.{{}}.steps.[].{tools}")
    assert (nested["minProperties"], nested["maxProperties"]) == (1, 1)
    assert "x-kubernetes-validations" not in nested


class _Unbounded(ApiModel):
    note: str


class _Mixed(ApiModel):
    value: Annotated[str, Field(max_length=3)] | bool


def test_a_model_without_a_bound_is_refused_by_name() -> None:
    class Broken(Resource):
        """A kind whose note has no bound."""

        spec: _Unbounded
        status: ApiModel = ApiModel()

    with pytest.raises(SchemaError, match=r"spec\.note: has no maxLength"):
        structural_schema(Broken)


def test_a_union_of_types_is_refused_by_name() -> None:
    class Broken(Resource):
        """A kind whose value is one of two types."""

        spec: _Mixed
        status: ApiModel = ApiModel()

    with pytest.raises(SchemaError, match=r"spec\.value: a union of types"):
        structural_schema(Broken)
