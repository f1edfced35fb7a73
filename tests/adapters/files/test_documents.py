"""YAML and JSON as values: what each scalar is, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.adapters.files.documents import Document, read_documents
from sluice.adapters.files.yaml_nodes import SyntaxProblem

RELAXED = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def value_of(text: str | bytes) -> Any:
    (document,) = read_documents(text.encode() if isinstance(text, str) else text)
    return document.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), ("-7", -7), ("+3", 3), ("0", 0), ("0x1F", 31), ("0o17", 15), ("017", 15), ("0b101", 5), ("1_000", 1000),
        ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0), ("1.5e-3", 0.0015), ("6.", 6.0),
        ("true", True), ("False", False), ("yes", True), ("off", False), ("~", None), ("null", None), ("", None),
        ("2026-01-01", "2026-01-01"), ("2026-01-01T06:00:00Z", "2026-01-01T06:00:00Z"), ("1:30", "1:30"), ("1.2.3", "1.2.3"),
        ("v7", "v7"), ("=", "="), ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"), ("!!int '12'", 12), ("0.5%", "0.5%"),
        ("1h30m", "1h30m"), ("09", "09"), ("_1", "_1"), ("nope", "nope"), (".", "."), ("-", "-"), ("1e", "1e"),
        ("${ payload.x }", "${ payload.x }"), ("|\n    a\n    b", "a\nb\n"), ("[a, 1]", ["a", 1]),
        ("{a: {b: []}}", {"a": {"b": []}}),
    ],
)  # fmt: skip
def test_a_scalar_is_what_kubectl_takes_it_for(text: str, value: Any) -> None:
    if text == "-":
        assert value_of("x: [a, '-']")["x"][1] == value
        return
    found = value_of(f"x: {text}\n")["x"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert value_of("on: 1\n1: 2\ntrue: 3\n2026-01-01: 4\n~: 5") == {
        "on": 1,
        "1": 2,
        "true": 3,
        "2026-01-01": 4,
        "~": 5,
    }


def test_anchors_and_merge_keys_are_followed() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 9}, *a]}\nd: [*a, *a]\n"
    assert value_of(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 9, "y": 2},
        "d": [{"x": 1, "y": 2}, {"x": 1, "y": 2}],
    }


def test_what_an_alias_repeats_is_not_shared() -> None:
    value = value_of("a: &a {x: 1}\nb: *a\n")
    value["a"]["x"] = 2
    assert value["b"] == {"x": 1}


def test_documents_are_counted_and_empty_ones_left_out() -> None:
    documents = read_documents(b"---\n---\na: 1\n---\n# nothing\n---\nb: 2\n")
    assert [(document.value, document.line, document.index) for document in documents] == [
        ({"a": 1}, 3, 1),
        ({"b": 2}, 7, 3),
    ]
    assert read_documents(b"") == read_documents(b"# only a comment\n") == []


def test_a_byte_order_mark_is_dropped() -> None:
    assert value_of(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_windows_line_ends_are_fine() -> None:
    assert value_of("a: |\r\n  x\r\n  y\r\nb: 1\r\n") == {"a": "x\ny\n", "b": 1}


def test_json_keeps_its_own_rules() -> None:
    content = b'{"a": "\\ud83d\\ude00", "b":\t[1, 2.5, null, true], "on": "yes"}'
    assert read_documents(content, is_json=True)[0].value == {"a": "😀", "b": [1, 2.5, None, True], "on": "yes"}
    assert read_documents(b" \n", is_json=True) == []
    with pytest.raises(SyntaxProblem, match="no number that JSON knows"):
        read_documents(b'{"a": 1e999}', is_json=True)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
@RELAXED
def test_what_is_written_as_yaml_or_json_is_read_again(value: Any) -> None:
    wrapped = {"value": value}
    assert value_of(yaml.safe_dump(wrapped, default_style='"')) == wrapped
    assert read_documents(json.dumps(wrapped).encode(), is_json=True)[0].value == wrapped


@given(st.binary(max_size=200) | st.text("ab:-?[]{}&*!|>'\"#%@`,\n \t~<", max_size=60).map(str.encode))
@RELAXED
def test_any_bytes_are_documents_or_a_problem_with_a_line(content: bytes) -> None:
    for is_json in (False, True):
        outcome = read_or_problem(content, is_json)
        places = [outcome] if isinstance(outcome, SyntaxProblem) else outcome
        assert all(place.line >= 1 for place in places)


def read_or_problem(content: bytes, is_json: bool) -> list[Document] | SyntaxProblem:
    try:
        return read_documents(content, is_json=is_json)
    except SyntaxProblem as problem:
        return problem
