"""Pydantic's errors are told in words; none of its own phrases, none of our patterns gets through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.domain.definition.validation.findings import did_you_mean, join
from sluice.domain.definition.validation.objects import MODELS
from sluice.domain.definition.validation.sentences import PATTERNS, words_of
from sluice.domain.definition.validation.shape import check_shape, fields_of, models_at


def patterns_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for value in schema.values():
            yield from patterns_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from patterns_in(value)


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_pattern_of_the_api_has_words(kind: str) -> None:
    patterns = set(patterns_in(MODELS[kind].model_json_schema()))
    assert {pattern for pattern in patterns if words_of(pattern).startswith("it must match")} == set()


def test_every_pattern_with_words_is_one_of_the_api() -> None:
    used = {pattern for model in MODELS.values() for pattern in patterns_in(model.model_json_schema())}
    keys = {r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$", r"^(v[1-9][0-9]{0,8}|d-[0-9a-f]{12})$"}
    assert set(PATTERNS) - used <= keys


@pytest.mark.parametrize(
    ("path", "field"),
    [((), "spec"), (("spec",), "definition"), (("spec", "definition", "steps", 0), "needs"),
     (("spec", "definition", "nodes", "x", "action", "http"), "url"), (("spec", "publish", "approval"), "users")],
)  # fmt: skip
def test_the_model_of_a_place_is_found(path: tuple[str | int, ...], field: str) -> None:
    (model,) = models_at(MODELS["Workflow"], path)
    assert field in fields_of(model)


def test_null_where_a_value_is_needed_is_said_to_be_empty() -> None:
    body = {"apiVersion": "sluice.dev/v1alpha1", "kind": "Workflow", "metadata": {}, "spec": {"owner": None}}
    assert [str(finding) for finding in check_shape(MODELS["Workflow"], body)] == [
        "spec.owner: must be text, and it is empty"
    ]


def test_at_most_fifty_findings_are_told() -> None:
    body = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {},
        "spec": {f"x{n}": 1 for n in range(90)},
    }
    assert len(check_shape(MODELS["Rollout"], body)) == 50


def test_paths_read_as_people_write_them() -> None:
    assert join("spec", "steps", 3, "needs", 0) == "spec.steps[3].needs[0]"
    assert join("", "metadata", "labels", "a/b") == 'metadata.labels["a/b"]'


def test_a_suggestion_is_the_nearest_name_or_all_of_them() -> None:
    assert did_you_mean("fetsh", ["fetch", "send"]) == "did you mean fetch?"
    assert did_you_mean("zzz", ["b", "a"]) == "known are a, b"
    assert did_you_mean("zzz", []) == "there are none"
