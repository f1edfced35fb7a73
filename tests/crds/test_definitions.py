"""The CustomResourceDefinitions: names, columns and selectable fields as the API promises them."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.api.kinds import SLUICE_KINDS
from sluice.crds.columns import PRINTER_COLUMNS
from sluice.crds.definitions import definition_of, definitions

DEFINITIONS = {kind.kind: definition_of(kind) for kind in SLUICE_KINDS}


def version_of(kind: str) -> dict[str, Any]:
    (version,) = DEFINITIONS[kind]["spec"]["versions"]
    return version


def shown(kind: str) -> list[str]:
    return [column["name"].upper() for column in PRINTER_COLUMNS[kind] if not column.get("priority")]


def test_each_kind_has_one_file_named_after_its_resource() -> None:
    assert [name.removesuffix(".yaml").split("_") for name in definitions()] == [
        ["sluice.dev", kind.plural] for kind in SLUICE_KINDS
    ]


@pytest.mark.parametrize("info", SLUICE_KINDS, ids=lambda info: info.kind)
def test_names_are_those_of_the_table_of_kinds(info: Any) -> None:
    definition = DEFINITIONS[info.kind]
    names = definition["spec"]["names"]
    assert definition["metadata"]["name"] == info.resource
    assert names["shortNames"] == list(info.short_names)
    assert names["shortNames"][0].startswith("sl")
    assert names["categories"] == ["sluice"]
    assert definition["spec"]["scope"] == "Namespaced"


@pytest.mark.parametrize("info", SLUICE_KINDS, ids=lambda info: info.kind)
def test_status_is_a_subresource_and_fields_are_selectable(info: Any) -> None:
    version = version_of(info.kind)
    assert version["subresources"] == {"status": {}}
    assert [field["jsonPath"] for field in version.get("selectableFields", [])] == [
        f".{path}" for path in info.selectable
    ]


def test_columns_show_what_people_look_for() -> None:
    assert shown("Workflow") == [
        *("PHASE", "LIVE", "CANDIDATE", "PERCENT", "ENVIRONMENTS"),
        *("SUCCESS", "RUNS 7D", "LAST RUN", "READY"),
    ]
    assert shown("Rollout") == ["STABLE", "CANDIDATE", "PERCENT", "ACTUAL", "PHASE", "SINCE"]
    assert shown("WorkflowRun") == ["WORKFLOW", "ENV", "VERSION", "PHASE", "STEP", "REASON", "DURATION", "AGE"]


@pytest.mark.parametrize("kind", PRINTER_COLUMNS)
def test_every_column_points_at_a_field_of_the_schema(kind: str) -> None:
    for column in PRINTER_COLUMNS[kind]:
        schema = version_of(kind)["schema"]["openAPIV3Schema"]
        path = column["jsonPath"].partition("[")[0].removeprefix(".")
        if path.startswith("metadata."):
            continue
        for name in path.split("."):
            schema = schema["properties"][name]
        wanted = {"date": "string"}.get(column["type"], column["type"])
        assert schema["type"] == ("array" if "[" in column["jsonPath"] else wanted), column["name"]


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_selectable_field_is_a_plain_value(kind: str) -> None:
    for field in version_of(kind).get("selectableFields", []):
        schema = version_of(kind)["schema"]["openAPIV3Schema"]
        for name in field["jsonPath"].removeprefix(".").split("."):
            schema = schema["properties"][name]
        assert schema["type"] in {"string", "integer", "boolean"}
