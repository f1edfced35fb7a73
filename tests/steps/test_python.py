"""Python steps: what code sees, what it leaves behind, how it fails (R119 to R124, R147)."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.steps.outcome import Failure, NotJson, encode
from sluice.steps.python import compile_code, execute


def run(code: str, **names: Any) -> dict[str, Any]:
    everything = {"payload": None, "context": {}, "params": {}, "steps": {}} | names
    body: dict[str, Any] = orjson.loads(orjson.dumps(execute(compile_code(code), everything, source=code)))
    return body


def test_output_is_what_the_code_assigns() -> None:
    assert run("output = {'n': payload['n'] + 1}", payload={"n": 1})["output"] == {"n": 2}


def test_without_an_assignment_the_output_is_null() -> None:
    assert run("pass")["output"] is None


def test_earlier_outputs_are_read_by_name_or_by_key() -> None:
    """R121"""
    steps = {"a": {"phase": "Succeeded", "output": {"x": 3}}}
    assert run("output = [steps.a.output['x'], steps['a']['phase']]", steps=steps)["output"] == [3, "Succeeded"]


def test_an_unknown_step_is_named_with_those_there_are() -> None:
    assert "there is no b here; there are: a" in run("steps.b", steps={"a": {}})["message"]


def test_functions_see_the_names_of_the_top_level() -> None:
    code = "import math\nrate = 2\ndef f(x):\n    return math.floor(x * rate)\noutput = [f(n) for n in payload]"
    assert run(code, payload=[1.6, 2])["output"] == [3, 4]


def test_only_changed_keys_of_the_context_are_written() -> None:
    """R123"""
    body = run("context['seen'] += 1\ncontext['new'] = {'a': []}", context={"seen": 1, "other": [1]})
    assert body["context"] == {"seen": 2, "new": {"a": []}}


def test_a_change_deep_inside_the_context_is_a_change_of_its_key() -> None:
    assert run("context['list'].append(2)", context={"list": [1], "x": 1})["context"] == {"list": [1, 2]}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("del context['a']", "context['a'] was removed; set it to None instead"),
        ("context['b'] = {1}", "context['b'] is a set"),
        ("context[1] = 1", "context has the key 1; keys are text"),
        ("context = 3", "context is a int now"),
    ],
)
def test_a_context_that_can_not_be_recorded_is_refused(code: str, message: str) -> None:
    body = run(code, context={"a": 1})
    assert body["reason"] == "OutputInvalid"
    assert message in body["message"]


def test_two_executions_share_no_names() -> None:
    """R124"""
    run("left = 1")
    assert "NameError" in run("output = left")["message"]


def test_what_is_printed_is_kept_also_when_the_code_fails() -> None:
    """R147"""
    body = run("print('a', 1, sep='-')\nraise ValueError('no such customer')")
    assert body["message"] == "ValueError: no such customer (line 2)"
    assert body["log"].startswith("a-1\n")
    assert "line 2, in <module>: raise ValueError('no such customer')" in body["log"]


def test_of_endless_printing_the_last_lines_are_kept() -> None:
    log = run("for n in range(50000):\n    print('line', n)")["log"]
    assert log.startswith("... (earlier lines left out)\n")
    assert log.endswith("line 49999\n")
    assert len(log) <= 65536


def test_an_exception_whose_text_fails_is_told_all_the_same() -> None:
    code = "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E"
    assert "E (its text can't be made)" in run(code)["message"]


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("from datetime import datetime\noutput = datetime.strptime('2026-01-02', '%Y-%m-%d').day", 2),
        ("from datetime import date\noutput = date(2026, 1, 2).strftime('%d') + str(date.today())[:2]", "0220"),
        ("import urllib.parse\noutput = urllib.parse.quote('a b')", "a%20b"),
        ("from urllib import parse\noutput = parse.unquote('a%20b')", "a b"),
        ("from collections.abc import Mapping\noutput = isinstance({}, Mapping)", True),
        ("import collections\noutput = collections.Counter('aab')", {"a": 2, "b": 1}),
        ("import hashlib\noutput = hashlib.sha256(b'').hexdigest()[:8]", "e3b0c442"),
        ("import csv\noutput = list(csv.DictReader(['a,b', '1,2']))", [{"a": "1", "b": "2"}]),
        ("import zoneinfo\noutput = zoneinfo.ZoneInfo('Europe/Berlin').key", "Europe/Berlin"),
        ("class A:\n    def __init__(self):\n        self.x = 1\noutput = A().x", 1),
        ("output = (1, 2)", [1, 2]),
    ],
)
def test_curated_modules_and_built_ins_work(code: str, output: object) -> None:
    """R122"""
    assert run(code)["output"] == output


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "open('x')",
        "eval('1')",
        "().__class__",
        "import uuid\nuuid.os",
        "import statistics\nstatistics.sys",
        "match f:\n    case object(__globals__=g):\n        pass",
        "class A:\n    __match_args__ = ('x',)",
    ],
)
def test_code_beyond_the_curated_names_is_refused_before_it_runs(code: str) -> None:
    """R122"""
    with pytest.raises(Failure) as refused:
        compile_code(code)
    assert refused.value.reason == "CodeNotAllowed"


def test_modules_are_views_without_the_modules_inside() -> None:
    assert "AttributeError" in run("import uuid as u\nm = [u]\nm[0].os")["message"]


def test_modules_can_not_be_changed() -> None:
    assert "can't be set" in run("import math\nmath.pi = 3")["message"]


def test_what_is_no_python_says_where() -> None:
    with pytest.raises(Failure, match="line 2: this is no Python") as refused:
        compile_code("x = 1\nif True")
    assert refused.value.reason == "CodeFailed"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2}]}, "output['a'][1] is a set"),
        ({"a": float("nan")}, "output['a'] is nan"),
        ([None, float("inf")], "output[1] is inf"),
        ({1: 2}, "output has the key 1 of type int"),
        (2**70, "an integer of 71 bits"),
        ("\ud800", "no valid text"),
        (b"x", "output is a bytes"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(value: object, message: str) -> None:
    with pytest.raises(NotJson) as refused:
        encode(value, "output")
    assert message in str(refused.value)


def test_a_value_inside_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NotJson, match="nests deeper"):
        encode(loop, "output")


_scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
_json = st.recursive(
    _scalars | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(_json)
def test_all_json_is_encoded_as_it_is(value: object) -> None:
    assert json.loads(encode(value, "output")) == value
