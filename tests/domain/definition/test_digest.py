"""A version is its digest (DESIGN 2, rule 3): golden vectors fix every level for ever."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.canonical_json import canonical_json, spell_float
from sluice.domain.definition.digest import digest, step_digest, step_digests
from sluice.domain.definition.shapes import DEFINITIONS, LATEST

VECTORS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "vectors").glob("*.json")
}


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_no_digest_of_a_level_ever_moves(name: str) -> None:
    vector = VECTORS[name]
    for spelling in vector["spellings"]:
        canonical = canonicalize(spelling, vector["level"])
        assert digest(canonical, vector["level"]) == vector["digest"]
        assert step_digests(canonical, vector["level"]) == vector["steps"]
    assert canonicalize(vector["spellings"][0], vector["level"]) == vector["canonical"]


def test_every_level_has_vectors_and_they_are_known_by_number() -> None:
    assert {vector["level"] for vector in VECTORS.values()} == set(DEFINITIONS)
    assert max(DEFINITIONS) == LATEST
    assert VECTORS["hello"]["digest"] == "sha256:79b7e83e0bf1fb5742e5f83ab7f1a2d5d8780fed6fe3e472edaf2a165ea6db10"


def chain(*codes: str, **fields: Any) -> dict[str, Any]:
    names = "abcdef"
    steps = [
        {"name": names[index], "needs": [names[index - 1]] if index else [], "action": {"python": {"code": code}}}
        for index, code in enumerate(codes)
    ]
    return canonicalize({"steps": steps, **fields})


def test_the_order_of_steps_is_part_of_the_digest() -> None:
    canonical = chain("1", "2")
    turned = canonical | {"steps": canonical["steps"][::-1]}
    assert digest(canonical) != digest(turned)


def test_an_unused_optional_field_moves_no_digest() -> None:
    canonical = chain("1")
    assert digest(canonicalize(canonical | {"fieldOfALaterRelease": None})) == digest(canonical)
    assert digest(canonicalize(canonical | {"fieldOfALaterRelease": 1})) != digest(canonical)


def test_what_publishing_resolved_is_part_of_the_digest() -> None:
    canonical = chain("1")
    assert digest(canonical, resolved={}) == digest(canonical)
    assert digest(canonical, resolved={"skills": {"pay": "sha256:1"}}) != digest(canonical)


def test_a_changed_step_changes_its_own_digest_and_those_behind_it() -> None:
    before, after = step_digests(chain("1", "2", "3")), step_digests(chain("1", "two", "3"))
    assert [before[name] == after[name] for name in "abc"] == [True, False, False]


def test_in_sequential_every_earlier_step_has_a_say() -> None:
    def both(code: str, execution: str) -> dict[str, Any]:
        steps = [
            {"name": "a", "action": {"python": {"code": code}}},
            {"name": "b", "action": {"python": {"code": "0"}}},
        ]
        return canonicalize({"steps": steps, "execution": execution})

    assert step_digest(both("1", "Parallel"), "b") == step_digest(both("2", "Parallel"), "b")
    assert step_digest(both("1", "Sequential"), "b") != step_digest(both("2", "Sequential"), "b")


def test_a_changed_graph_changes_the_steps_that_run_it() -> None:
    def looping(code: str) -> dict[str, Any]:
        graphs = {
            "outer": {"steps": [{"name": "in", "logic": {"call": {"graph": "inner"}}}]},
            "inner": {"steps": [{"name": "x", "action": {"python": {"code": code}}}]},
        }
        steps = [{"name": "loop", "logic": {"call": {"graph": "outer"}}}, {"name": "other", "skill": {"name": "s"}}]
        return canonicalize({"steps": steps, "graphs": graphs})

    before, after = step_digests(looping("1")), step_digests(looping("2"))
    assert before["loop"] != after["loop"]
    assert before["other"] == after["other"]


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0.0, "0"), (-0.0, "0"), (5e-324, "5e-324"), (-5e-324, "-5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"), (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"), (1e23, "1e+23"), (1e21, "1e+21"), (1e20, "100000000000000000000"),
        (333333333.3333332, "333333333.3333332"), (0.000001, "0.000001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (-1.25, "-1.25"),
        (123456.789, "123456.789"), (0.1, "0.1"), (0.05, "0.05"), (100.0, "100"), (1.0, "1"),
    ],
)  # fmt: skip
def test_numbers_are_spelled_as_rfc_8785_has_it(number: float, spelled: str) -> None:
    assert spell_float(number) == spelled
    assert float(spelled) == number


def test_canonical_json_sorts_keys_by_utf16_units_and_escapes_control_characters() -> None:
    value = {
        "\u20ac": "Euro",
        "\r": '\x7f\x1f"\\/\u2028',
        "\ufb33": 1,
        "1": [None, True, False],
        "\U0001f600": 2.5,
        "\x80": {},
    }
    expected = '{"\\r":"\x7f\\u001f\\"\\\\/\u2028","1":[null,true,false],"\x80":{},"\u20ac":"Euro","\U0001f600":2.5,"\ufb33":1}'
    assert canonical_json(value).decode("utf-8") == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, {1: 2}, b"x", object(), "\ud800"])
def test_what_is_no_json_has_no_canonical_json(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        canonical_json([value])


def test_integers_keep_all_their_digits() -> None:
    assert canonical_json(9007199254740993) == b"9007199254740993"
