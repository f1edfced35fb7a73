"""How JSON becomes CEL and back, fixed by published vectors."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.expressions import EvaluationError
from sluice.domain.expressions.conversion import go_duration, to_cel
from tests.domain.expressions.evaluated import result

VECTORS: dict[str, list[dict[str, Any]]] = orjson.loads(
    (Path(__file__).parent / "vectors" / "numbers.json").read_bytes()
)


@pytest.mark.parametrize("vector", VECTORS["into"], ids=lambda vector: vector["json"])
def test_a_json_number_has_the_published_type(vector: dict[str, str]) -> None:
    assert result(f"${{ type(payload) == {vector['type']} }}", payload=orjson.loads(vector["json"])) is True


@pytest.mark.parametrize("vector", VECTORS["through"], ids=lambda vector: f"{vector['expression']}-{vector['json']}")
def test_an_expression_over_a_number_gives_the_published_json(vector: dict[str, str]) -> None:
    template = f"${{ {vector['expression']} }}"
    payload = orjson.loads(vector["json"])
    if "error" in vector:
        with pytest.raises(EvaluationError, match=vector["error"]):
            result(template, payload=payload)
    else:
        found, published = result(template, payload=payload), orjson.loads(vector["result"])
        assert (type(found), found) == (type(published), published)


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_integers_of_64_bits_pass_exactly(number: int) -> None:
    assert result("${ payload }", payload=number) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_pass_with_their_value(number: float) -> None:
    assert result("${ payload }", payload=number) == number


texts = st.text().filter(lambda text: "\0" not in text)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_any_json_passes_with_its_value(value: object) -> None:
    assert result("${ payload }", payload=value) == value


@pytest.mark.parametrize(
    ("expression", "json"),
    [
        ("b'abc'", "YWJj"),
        ("timestamp('2026-01-31T09:30:00Z')", "2026-01-31T09:30:00Z"),
        ("timestamp('2026-01-31T09:30:00.120+02:00')", "2026-01-31T07:30:00.12Z"),
        ("timestamp('0001-01-01T00:00:00Z')", "0001-01-01T00:00:00Z"),
        ("duration('90m')", "1h30m0s"),
        ("[duration('1.5s'), duration('250ms')]", ["1.5s", "250ms"]),
        ("{'at': run.startedAt + duration('1h')}", {"at": "2026-01-31T10:30:00.5Z"}),
        ("18446744073709551615u", 18446744073709551615),
        ("null", None),
        ("[null, {'a': null}]", [None, {"a": None}]),
    ],
)
def test_values_without_a_json_of_their_own_become_text(expression: str, json: object) -> None:
    assert result(f"${{ {expression} }}", run__startedAt="2026-01-31T09:30:00.5Z") == json


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{1: 'a'}", "the key 1 of a map is no text"),
        ("[payload.?x]", "end it with .orValue"),
        ("{'a': payload.?x}", "end it with .orValue"),
        ("dyn(payload.?x)", "end it with .orValue"),
        ("[int]", "a type or a message"),
    ],
)
def test_what_has_no_json_is_refused(expression: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        result(f"${{ {expression} }}", payload={})


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, b"bytes", float("nan"), float("inf"), 10**400, "a\0b", {"a\0": 1}, "\ud800"]
)
def test_data_that_is_no_json_does_not_come_in(value: object) -> None:
    with pytest.raises(EvaluationError):
        to_cel([value])


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(microseconds=7), "7µs"),
        (timedelta(microseconds=1500), "1.5ms"),
        (timedelta(seconds=61), "1m1s"),
        (timedelta(hours=36, milliseconds=20), "36h0m0.02s"),
        (timedelta(minutes=-5), "-5m0s"),
    ],
)
def test_durations_are_printed_as_go_prints_them(duration: timedelta, text: str) -> None:
    assert go_duration(duration) == text
