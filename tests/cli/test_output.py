from __future__ import annotations

import pytest
import yaml

from sluice.cli.output import as_yaml, name_of, print_server_table, table_lines, text_of

TABLE = {
    "columnDefinitions": [{"name": "Name"}, {"name": "Phase"}, {"name": "Owner", "priority": 1}],
    "rows": [{"cells": ["a", "Draft", "ana"], "object": {"metadata": {"namespace": "ops"}}}],
}


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table_lines(["Name", "At"], [["a", "b"], ["longer", None]]) == ["NAME     AT", "a        b", "longer"]


@pytest.mark.parametrize(
    ("cell", "text"), [(None, ""), (True, "true"), (3, "3"), ("two\nlines", "two"), ("", ""), (0, "0")]
)
def test_a_cell_is_one_line(cell: object, text: str) -> None:
    assert text_of(cell) == text


def test_columns_of_lower_priority_show_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    print_server_table(TABLE, wide=False)
    print_server_table(TABLE, wide=True, with_namespace=True, with_headers=False)
    assert capsys.readouterr().out.splitlines() == ["NAME   PHASE", "a      Draft", "ops   a   Draft   ana"]


def test_text_of_several_lines_stays_readable_and_nothing_is_referred_to() -> None:
    part = ["x"]
    value = {"code": "a = 1\nb = 2\n", "one": part, "two": part, "answer": "y", "number": "1"}
    text = as_yaml(value)
    assert yaml.safe_load(text) == value
    assert "code: |\n  a = 1\n  b = 2" in text
    assert "&" not in text


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("sluice.dev/v1alpha1", "WorkflowRun", "workflowrun.sluice.dev/a"),
        ("v1", "ConfigMap", "configmap/a"),
        ("other.dev/v1", "Thing", "thing.other.dev/a"),
    ],
)
def test_names_carry_kind_and_group(api_version: str, kind: str, name: str) -> None:
    assert name_of({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}) == name
