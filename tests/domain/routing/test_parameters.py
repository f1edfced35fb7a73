"""One definition for many environments: where a parameter's value comes from, and what is wrong with it."""

from __future__ import annotations

import pytest

from sluice.domain.routing.parameters import parameters

DECLARED = {"mailTo": {"type": "string"}, "threshold": {"type": "integer", "default": 3}}


def test_the_run_wins_over_state_environment_and_default():
    layers = {"run": {"threshold": 7}, "state": {"threshold": 6}, "environment": {"threshold": 5, "mailTo": "ops"}}
    seen = []
    for name in ("run", "state", "environment"):
        seen.append(parameters(DECLARED, **layers).values["threshold"])
        layers[name] = {**layers[name], "threshold": None}
    seen.append(parameters(DECLARED, **layers).values["threshold"])
    assert seen == [7, 6, 5, 3]


def test_a_parameter_without_a_value_is_missing():
    found = parameters(DECLARED)
    assert (found.missing, found.usable, found.message) == (("mailTo",), False, "no value for mailTo")


def test_a_falsy_value_is_a_value():
    declared = {"on": {"type": "boolean", "default": True}, "text": {"type": "string", "default": "x"}}
    assert parameters(declared, run={"on": False, "text": ""}).values == {"on": False, "text": ""}


def test_a_wrong_type_names_the_parameter_the_place_and_both_types():
    found = parameters(DECLARED, state={"mailTo": "a", "threshold": "3"})
    assert found.invalid == ("params.threshold of the EnvironmentState must be an integer, not a string",)
    assert "threshold" not in found.values


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("string", "a", 1),
        ("integer", 3.0, 3.5),
        ("integer", 3, True),
        ("number", 1.5, "1.5"),
        ("number", 2, False),
        ("boolean", False, 0),
        ("array", [], {}),
        ("object", {}, []),
    ],
)
def test_types_are_those_of_json(type, good, bad):
    declared = {"it": {"type": type}}
    assert parameters(declared, run={"it": good}).usable
    assert not parameters(declared, run={"it": bad}).usable


def test_an_enum_bounds_the_values():
    declared = {"level": {"type": "integer", "enum": [1, 2]}}
    assert parameters(declared, run={"level": 2}).usable
    assert parameters(declared, run={"level": 3}).invalid == (
        "params.level of spec.input.params is 3, allowed are 1, 2",
    )


def test_a_run_may_not_bring_what_is_not_declared_but_an_environment_may():
    assert parameters(DECLARED, environment={"mailTo": "a", "other": 1}).usable
    found = parameters(DECLARED, run={"mailTo": "a", "mailto": "b"})
    assert found.invalid == ("params.mailto of the run is not declared by this version; it declares mailTo, threshold",)


def test_a_version_without_parameters_needs_none():
    assert parameters(None, environment={"any": 1}).usable
