"""One canonical form for all spellings of a definition (DESIGN 1, "Three spellings, one definition"; R109 to R113, C9)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.definition.canonical import canonicalize
from sluice.domain.definition.digest import digest
from sluice.domain.definition.spellings import promotion_name

STEP: dict[str, Any] = {"name": "a", "action": {"python": {"code": "output = 1"}}}


def canonical_step(**fields: Any) -> dict[str, Any]:
    step: dict[str, Any] = canonicalize({"steps": [STEP | fields]})["steps"][0]
    return step


def test_defaults_are_written_out() -> None:
    assert canonicalize({"steps": [STEP]}) == {
        "params": {},
        "trigger": {"manual": {}},
        "context": {},
        "execution": "Parallel",
        "failurePolicy": "Drain",
        "graphs": {},
        "steps": [STEP | {"needs": [], "onError": {"action": "Fail"}}],
        "finally": [],
        "outputs": {},
    }


@pytest.mark.parametrize(
    ("field", "written", "meant"),
    [
        ("retry", {"limit": 2}, {"limit": 2, "backoff": {"duration": "1s", "factor": 2, "max": "5m"}}),
        (
            "retry",
            {"limit": 2, "backoff": {"max": "1h"}},
            {"limit": 2, "backoff": {"duration": "1s", "factor": 2, "max": "1h"}},
        ),
        ("onError", {"goto": "b"}, {"goto": "b", "then": "Continue"}),
        ("onError", {}, {"action": "Fail"}),
        ("needs", ["c", "b?", "c"], ["b?", "c"]),
        ("action", {"http": {"url": "x"}}, {"http": {"url": "x", "method": "GET"}}),
        ("action", {"python": {"code": "x", "requirements": [], "lock": None}}, {"python": {"code": "x"}}),
        (
            "action",
            {"http": {"url": "x", "body": {"gone": None, "n": 2.0}}},
            {"http": {"url": "x", "method": "GET", "body": {"gone": None, "n": 2}}},
        ),
    ],
)
def test_what_is_left_out_is_what_it_means(field: str, written: Any, meant: Any) -> None:
    assert canonical_step(**{field: written})[field] == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"schedule": {"cron": "* * * * *"}}, {"schedule": {"cron": "* * * * *", "timeZone": "Etc/UTC"}}),
        ({"schedule": {"interval": "5m"}}, {"schedule": {"interval": "5m", "anchor": "1970-01-01T00:00:00Z"}}),
        ({"webhook": {}}, {"webhook": {"rejectInvalid": False}}),
        ({"manual": None, "api": {"schema": {"default": None}}}, {"api": {"schema": {"default": None}}}),
        ({}, {"manual": {}}),
    ],
)
def test_a_trigger_has_its_defaults(written: Any, meant: Any) -> None:
    assert canonicalize({"steps": [STEP], "trigger": written})["trigger"] == meant


def test_a_limit_without_a_policy_queues() -> None:
    assert canonicalize({"steps": [STEP], "concurrency": {"limit": 3}})["concurrency"]["policy"] == "Queue"
    assert "concurrency" not in canonicalize({"steps": [STEP], "concurrency": {}})


def test_nodes_are_ordered_by_id_and_edges_become_needs() -> None:
    nodes = {name: {"pyCode": "output = 1"} for name in ("z", "m", "a")}
    edges = {"1": {"source": "z", "target": "a"}, "0": {"source": "m", "target": "a"}}
    steps = canonicalize({"nodes": nodes, "edges": edges})["steps"]
    assert [(step["name"], step["needs"]) for step in steps] == [("a", ["m", "z"]), ("m", []), ("z", [])]


def test_a_trigger_node_is_no_step() -> None:
    nodes = {"start": {"type": "trigger", "name": "By hand"}, "a": {"type": "action", "pyCode": "output = 1"}}
    assert canonicalize({"nodes": nodes, "edges": {"e": {"source": "start", "target": "a"}}}) == canonicalize(
        {"steps": [STEP]}
    )


def test_what_an_editor_shows_becomes_the_description() -> None:
    nodes = {"a": {"name": "First", "position": {"x": 1, "y": 2}, "pyCode": "output = 1"}}
    assert canonicalize({"nodes": nodes})["steps"][0]["description"] == "First"


def test_a_build_that_promotes_is_two_steps() -> None:
    tasks = [{"name": "build", "build": {"app": "web", "promote": True}}, {"name": "next", "promote": {"app": "web"}}]
    steps = canonicalize({"tasks": tasks})["steps"]
    assert [(step["name"], step["needs"]) for step in steps] == [
        ("build", []),
        ("build_promote", ["build"]),
        ("next", ["build_promote"]),
    ]
    assert steps[2]["action"]["promote"]["buildFrom"] == "build"


def test_the_name_of_a_promotion_stays_within_the_limit() -> None:
    assert len(promotion_name("b" * 40)) == 40


def test_an_unknown_level_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="level 99 is not known here; known are 1"):
        canonicalize({"steps": [STEP]}, 99)


def test_the_definition_itself_is_left_alone() -> None:
    definition = {"tasks": [{"name": "b", "build": {"app": "web", "promote": True}}], "context": {"list": [1.0]}}
    before = copy.deepcopy(definition)
    canonical = canonicalize(definition)
    canonical["context"]["list"].append(2)
    canonicalize({"steps": [STEP]})["params"]["x"] = 1
    assert definition == before
    assert canonicalize({"steps": [STEP]})["params"] == {}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            "needs": st.lists(NAMES, max_size=3),
            "description": st.none() | st.text(max_size=5),
            "onError": st.sampled_from([None, {}, {"goto": "a"}, {"action": "Continue"}]),
            "retry": st.sampled_from([None, {"limit": 1}, {"limit": 2, "backoff": {"factor": 3}}]),
            "skill": st.fixed_dictionaries(
                {"name": st.just("s")}, optional={"input": st.none() | st.dictionaries(NAMES, JSON)}
            ),
        },
    ),
    max_size=5,
)
DEFINITIONS = st.fixed_dictionaries({"steps": STEPS}, optional={"context": st.none() | st.dictionaries(NAMES, JSON)})


@settings(deadline=None)
@given(DEFINITIONS)
def test_a_canonical_form_is_its_own_canonical_form(definition: dict[str, Any]) -> None:
    canonical = canonicalize(definition)
    assert canonicalize(canonical) == canonical


@settings(deadline=None)
@given(DEFINITIONS, st.randoms())
def test_the_order_of_keys_and_descriptions_move_no_digest(definition: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = list(value.items())
            random.shuffle(items)
            return {key: shuffled(item) for key, item in items}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    other = shuffled(definition)
    for step in other["steps"]:
        step["description"] = "said in other words"
    assert digest(canonicalize(other)) == digest(canonicalize(definition))
