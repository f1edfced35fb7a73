"""A field that is not used moves no digest, so a release may add optional fields (DESIGN 2, rule 3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from sluice.api.definition import Definition
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.validation.definitions import validate
from sluice.domain.definition.validation.findings import errors
from sluice.domain.definition.validation.shape import fields_of, models_at

VECTORS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "vectors").glob("*.json")
}
TRIGGERS: list[dict[str, Any]] = [
    {"manual": {"schema": {"type": "object"}}},
    {"api": {}},
    {"event": {"name": "paid", "filter": "${ payload.ok == true }"}},
    {"queue": {"connection": "q", "queue": "orders"}},
    {"schedule": {"interval": "5m"}},
    {"webhook": {"forge": {"provider": "gitlab", "repository": "a/b"}}},
]


def with_nulls(value: Any, models: list[type[BaseModel]], count: list[int]) -> Any:
    """Every field that a model has and the value lacks, as null; people's own JSON is left as it is."""
    if isinstance(value, list):
        return [with_nulls(item, models, count) for item in value]
    if not isinstance(value, dict) or not models:
        return value
    (model,) = models
    absent = fields_of(model).keys() - value.keys()
    count[0] += len(absent)
    present = {key: _field_with_nulls(model, key, item, count) for key, item in value.items()}
    return present | dict.fromkeys(sorted(absent))


def _field_with_nulls(model: type[BaseModel], key: str, value: Any, count: list[int]) -> Any:
    inside = models_at(model, [key])
    if "dict[" in str(fields_of(model)[key]):
        return {name: with_nulls(item, inside, count) for name, item in value.items()} if inside else value
    return with_nulls(value, inside, count)


def spellings() -> list[Any]:
    written = [
        (f"{name} {index}", each) for name, vector in VECTORS.items() for index, each in enumerate(vector["spellings"])
    ]
    base = VECTORS["hello"]["spellings"][0]
    written += [(f"trigger {next(iter(trigger))}", base | {"trigger": trigger}) for trigger in TRIGGERS]
    return [pytest.param(definition, id=name) for name, definition in written]


@pytest.mark.parametrize("definition", spellings())
def test_every_absent_field_may_be_null_and_moves_nothing(definition: dict[str, Any]) -> None:
    count = [0]
    filled = with_nulls(definition, [Definition], count)
    assert count[0] > 20
    assert errors(validate(filled)) == []
    assert canonicalize(filled) == canonicalize(definition)
    assert digest(canonicalize(filled)) == digest(canonicalize(definition))
