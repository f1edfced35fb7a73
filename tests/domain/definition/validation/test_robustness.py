"""Whatever is written, validation answers with findings and nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.api.kinds import API_VERSION
from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.validation.definitions import validate
from sluice.domain.definition.validation.execution import not_executable
from sluice.domain.definition.validation.findings import errors
from sluice.domain.definition.validation.objects import MODELS, validate_object

GOOD = [
    spelling
    for path in sorted((Path(__file__).parents[1] / "vectors").glob("*.json"))
    for spelling in json.loads(path.read_text("utf-8"))["spellings"]
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["a", "${ steps.a.output }", "${"]),
)
KEYS = st.sampled_from(
    ["steps", "nodes", "name", "needs", "action", "http", "python", "logic", "switch", "spec", "url", "x"]
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, item in items for place in places(item, (*path, key))]


@given(JSON)
@RELAXED
def test_any_json_is_answered_with_findings(value: Any) -> None:
    assert errors(validate(value))
    assert validate_object({"apiVersion": API_VERSION, "kind": "Workflow", "metadata": value, "spec": value})


@given(st.sampled_from(sorted(MODELS)), JSON)
@RELAXED
def test_any_spec_of_any_kind_is_answered(kind: str, spec: Any) -> None:
    obj = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "a.b"}, "spec": spec}
    assert all(finding.message and "\n" not in str(finding) for finding in validate_object(obj))


@given(st.data(), st.sampled_from(GOOD), JSON)
@RELAXED
def test_a_good_definition_with_one_value_replaced_is_answered(data: st.DataObject, good: Any, value: Any) -> None:
    definition = copy.deepcopy(good)
    *parents, last = data.draw(st.sampled_from(places(definition)))
    holder = definition
    for part in parents:
        holder = holder[part]
    holder[last] = value
    findings = validate(definition)
    assert all(finding.field.startswith("spec.definition") for finding in findings)
    if not errors(findings):
        canonical = canonicalize(definition)
        assert digest(canonicalize(canonical)) == digest(canonical)
        assert errors(validate(canonical)) == []
        assert all(finding.field for finding in not_executable(canonical))
