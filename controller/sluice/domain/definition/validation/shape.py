"""Does a value have the shape of its model? As strict as an API server: no text where a number belongs, no unknown field."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from sluice.domain.definition.shapes import plain
from sluice.domain.definition.validation.findings import Code, Finding, did_you_mean, join
from sluice.domain.definition.validation.sentences import sentence_of, shown, words_of

MOST_FINDINGS = 50

_OFTEN_MEANT: Mapping[str, str] = MappingProxyType(
    {
        "dependsOn": "needs",
        "depends": "needs",
        "dependencies": "needs",
        "if": "when",
        "condition": "when",
        "retries": "retry",
        "uses": "action",
        "kind": "action",
        "env": "params",
        "inputs": "params",
        "parameters": "params",
        "on": "trigger",
        "triggers": "trigger",
        "jobs": "tasks",
        "onFailure": "onError",
        "timeoutSeconds": "timeout",
        "timezone": "timeZone",
        "python": "action",
        "http": "action",
        "container": "action",
        "switch": "logic",
        "forEach": "logic",
    }
)
"""What people write who come from other tools, and how it is called here."""


def check_shape(model: type[BaseModel], value: Any, field: str = "") -> list[Finding]:
    """All that keeps ``value`` from being a ``model``; ``field`` is where the value stands."""
    try:
        encoded = orjson.dumps(plain(value))
    except (TypeError, RecursionError) as error:
        return [Finding(field, f"this is no JSON: {error}", code=Code.WRONG_TYPE)]
    try:
        model.model_validate_json(encoded, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        return _findings(model, value, field, error)
    return []


def _findings(model: type[BaseModel], value: Any, field: str, error: ValidationError) -> list[Finding]:
    found: dict[str, Finding] = {}
    for each in error.errors(include_url=False):
        path = _path_in(value, each["loc"])
        finding = _finding(model, field, path, dict(each))
        found.setdefault(finding.field, finding)
        if len(found) == MOST_FINDINGS:
            break
    return list(found.values())


def _finding(model: type[BaseModel], field: str, path: list[str | int], error: dict[str, Any]) -> Finding:
    place = join(field, *path)
    if error["type"] == "extra_forbidden":
        return Finding(place, _unknown_field(model, path), code=Code.UNKNOWN_FIELD)
    if "constrained-int" in error["loc"] or "constrained-str" in error["loc"]:
        words = words_of(r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$")
        return Finding(place, f"{shown(error.get('input'))} is no percentage: {words}", code=Code.OUT_OF_BOUNDS)
    code, sentence = sentence_of(error)
    if "[key]" in error["loc"]:
        sentence = f"the name {sentence}"
    return Finding(place, sentence, code=code)


def _path_in(value: Any, loc: Sequence[str | int]) -> list[str | int]:
    """The error's place without what pydantic adds for unions and keys; a field that is missing may only come last."""
    path: list[str | int] = []
    here = value
    for index, part in enumerate(loc):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part] if part < len(here) else None
        elif not isinstance(here, Mapping) or index < len(loc) - 1 or part == "[key]":
            continue
        path.append(part)
    return path


def _unknown_field(model: type[BaseModel], path: list[str | int]) -> str:
    name = str(path[-1])
    known = sorted({alias for owner in models_at(model, path[:-1]) for alias in fields_of(owner)})
    if to_camel(name) in known:
        return f"there is no such field; did you mean {to_camel(name)}?"
    if _OFTEN_MEANT.get(name) in known:
        return f"there is no such field; did you mean {_OFTEN_MEANT[name]}?"
    return f"there is no such field; {did_you_mean(name, known)}"


def models_at(model: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models that a value at this place may have; indexes and keys of maps lead nowhere else."""
    current = [model]
    for part in path:
        for owner in current:
            annotation = fields_of(owner).get(str(part))
            if annotation is not None and isinstance(part, str):
                current = list(_models_in(annotation))
                break
    return current


@functools.cache
def fields_of(model: type[BaseModel]) -> Mapping[str, Any]:
    """The annotation of each field by its name on the wire."""
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
