from __future__ import annotations

import subprocess
import sys

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.expressions import Bindings, deserialize, evaluate, serialize
from tests.domain.expressions.evaluated import compiled_value

STEP = {
    "to": ["${ params.mailTo }"],
    "text": "${ run.name } failed at ${ error.step }",
    "limit": 3,
    "when": "${ payload.orders.exists(o, o.price > 10) }",
    "none": None,
}


def bound() -> Bindings:
    bindings = Bindings()
    bindings.set("payload", {"orders": [{"price": 20}]})
    bindings.set_params({"mailTo": "ops@example.com"})
    bindings.set_record("run", {"name": "r1"})
    bindings.set_record("error", {"step": "reply"})
    return bindings


def test_a_serialized_value_is_the_same_after_a_trip_through_json() -> None:
    compiled = compiled_value(STEP)
    again = deserialize(orjson.loads(orjson.dumps(serialize(compiled))))
    assert again == compiled
    assert again.names == compiled.names
    assert evaluate(again, bound()) == evaluate(compiled, bound())


def test_equal_values_have_equal_encodings() -> None:
    assert orjson.dumps(serialize(compiled_value(STEP))) == orjson.dumps(serialize(compiled_value(STEP)))


def test_a_checked_expression_runs_in_a_process_that_never_saw_its_declarations() -> None:
    program = (
        "import sys, orjson\n"
        "from sluice.domain.expressions import Bindings, deserialize, evaluate\n"
        "bindings = Bindings()\n"
        "bindings.set_record('run', {'startedAt': '2026-01-31T09:30:00Z'})\n"
        "value = deserialize(orjson.loads(sys.stdin.buffer.read()))\n"
        "print(evaluate(value, bindings))\n"
    )
    encoded = orjson.dumps(serialize(compiled_value("${ run.startedAt + duration('1h') }")))
    ended = subprocess.run([sys.executable, "-c", program], input=encoded, capture_output=True, check=True, timeout=60)
    assert ended.stdout.decode().strip() == "2026-01-31T10:30:00Z"


def test_the_program_inside_a_run_loads_nothing_heavy() -> None:
    program = "import sys, sluice.domain.expressions; print(' '.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in ended.stdout.decode().split()}
    assert "cel_expr_python" in loaded
    assert not loaded & {"pydantic", "jsonschema", "referencing", "yaml", "sqlalchemy", "kubernetes", "asyncio"}
    assert "sluice.domain.expressions.compilation" not in ended.stdout.decode()


@pytest.mark.parametrize(
    "encoded",
    [
        None,
        {},
        {"cel": "a", "checked": "bm90aGluZw==", "names": [], "cost": 0},
        {"cel": "a", "checked": "!", "names": [], "cost": 0},
        {"cel": "a", "checked": "", "cost": 0},
        {"join": [{"value": 1}]},
        {"map": {"a": 1}},
    ],
)
def test_what_can_not_be_read_says_to_compile_again(encoded: object) -> None:
    with pytest.raises(ValueError, match="compile its source again"):
        deserialize(encoded)  # type: ignore[arg-type]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text().filter(lambda text: "${" not in text),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_literals_that_look_like_encodings_stay_literals(value: object) -> None:
    tricky = {"value": value, "cel": "x", "list": [value]}
    assert evaluate(deserialize(serialize(compiled_value(tricky))), Bindings()) == tricky
