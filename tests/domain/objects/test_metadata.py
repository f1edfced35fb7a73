"""Names, labels, annotations, finalizers, owners: what is allowed, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.domain.objects.metadata import metadata_problems, name_problems, shape_problem


@pytest.mark.parametrize("name", ["a", "a-b.c", "0", "a" * 253, "support-escalation.production"])
def test_a_subdomain_is_a_name(name: str) -> None:
    assert name_problems(name) == []


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a.", "a..b", "a" * 254, "a\n"])
def test_anything_else_is_no_name(name: str) -> None:
    assert name_problems(name)


def test_the_message_is_the_api_servers() -> None:
    (problem,) = name_problems("Bad")
    assert problem.field == "metadata.name"
    assert problem.message == (
        "Invalid value: \"Bad\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )


def test_a_namespace_is_a_label() -> None:
    assert name_problems("a.b", label=True)
    assert name_problems("a" * 64, label=True)
    assert name_problems("a-b", label=True) == []


@pytest.mark.parametrize(
    "labels", [{"a": ""}, {"a.b/c": "d"}, {"A_b.c": "X-1"}, {"sluice.dev/workflow": "support"}, {"a" * 63: "b" * 63}]
)
def test_labels_that_are_fine(labels: dict[str, str]) -> None:
    assert metadata_problems({"labels": labels}) == []


@pytest.mark.parametrize(
    "labels",
    [{"": "x"}, {"/a": "x"}, {"a/": "x"}, {"a/b/c": "x"}, {"a b": "x"}, {"a": "x y"}, {"a" * 64: ""}, {"a": "x" * 64}],
)
def test_labels_that_are_not(labels: dict[str, str]) -> None:
    assert metadata_problems({"labels": labels})


def test_what_did_not_change_is_not_looked_at_again() -> None:
    broken = {"labels": {"a b": "c"}}
    assert metadata_problems(broken, broken) == []
    assert metadata_problems({"labels": {"a b": "d"}}, broken)


def test_annotations_are_free_but_not_without_end() -> None:
    assert metadata_problems({"annotations": {"a": "any thing \n at all"}}) == []
    (problem,) = metadata_problems({"annotations": {"a": "x" * 262_144}})
    assert problem.reason == "FieldValueTooLong"


def test_one_owner_is_the_controller_at_most() -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u", "controller": True}
    assert metadata_problems({"ownerReferences": [owner]}) == []
    (problem,) = metadata_problems({"ownerReferences": [owner, {**owner, "uid": "v"}]})
    assert "Only one reference can have Controller set to true" in problem.message


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ([], "metadata must be a map"),
        ({"name": 1}, "metadata.name must be a string"),
        ({"labels": []}, "metadata.labels must be a map"),
        ({"labels": {"a": True}}, "metadata.labels.a must be a string; put it in quotes"),
        ({"finalizers": "a"}, "metadata.finalizers must be a list of strings"),
        ({"ownerReferences": ["a"]}, "metadata.ownerReferences must be a list of maps"),
        ({"labels": None, "finalizers": None, "name": None}, ""),
    ],
)
def test_metadata_of_another_shape_is_told_apart(metadata: Any, said: str) -> None:
    assert shape_problem(metadata) == said
