"""Columns, ages and the paths that lead to cells."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.api.kinds import CONFIG_MAP, EVENT, LEASE, NAMESPACE, ROLLOUT, SECRET, KindInfo
from sluice.http.kubernetes.catalog import Catalog
from sluice.http.kubernetes.columns import columns_of
from sluice.http.kubernetes.durations import age_of, short_duration
from sluice.http.kubernetes.jsonpath import compile_path

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
YESTERDAY = "2026-01-01T00:00:00Z"


def cells(kind: KindInfo, obj: dict[str, Any], columns: list[dict[str, Any]] | None = None) -> list[Any]:
    made = columns_of(kind, Catalog(columns={kind: columns} if columns else {}))
    whole = {"metadata": {"name": "a", "creationTimestamp": YESTERDAY}, **obj}
    return [column.cell(whole, NOW) for column in made]


def column(path: str, kind: str = "string") -> list[dict[str, Any]]:
    return [{"name": "X", "type": kind, "jsonPath": path}]


@pytest.mark.parametrize(
    ("path", "kind", "spec", "cell"),
    [
        (".spec.a", "string", {"a": "x"}, "x"),
        (".spec.a", "string", {"a": ["x", 1]}, '["x",1]'),
        (".spec.a", "string", {}, None),
        (".spec.a", "string", {"a": None}, None),
        (".spec.a", "integer", {"a": 3}, 3),
        (".spec.a", "integer", {"a": 3.7}, 3),
        (".spec.a", "integer", {"a": "3"}, None),
        (".spec.a", "number", {"a": 3.7}, 3.7),
        (".spec.a", "boolean", {"a": False}, False),
        (".spec.a", "date", {"a": YESTERDAY}, "24h"),
        (".spec.a", "date", {"a": "soon"}, "<invalid>"),
        (".spec.a[*].n", "string", {"a": [{"n": "x"}, {"n": "y"}]}, "x y"),
    ],
)
def test_a_cell_is_of_its_columns_type(path: str, kind: str, spec: dict[str, Any], cell: Any) -> None:
    assert cells(ROLLOUT, {"spec": spec}, column(path, kind))[1:] == [cell]


@pytest.mark.parametrize(
    ("kind", "obj", "row"),
    [
        (ROLLOUT, {}, ["a", "24h"]),
        (NAMESPACE, {}, ["a", "Active", "24h"]),
        (NAMESPACE, {"metadata": {"name": "a", "deletionTimestamp": YESTERDAY}}, ["a", "Terminating", "<unknown>"]),
        (SECRET, {"type": "Opaque", "data": {"x": "eA=="}}, ["a", "Opaque", 1, "24h"]),
        (CONFIG_MAP, {"data": {"x": "1"}, "binaryData": {"y": "eA=="}}, ["a", 2, "24h"]),
        (LEASE, {"spec": {"holderIdentity": "me"}}, ["a", "me", "24h"]),
        (
            EVENT,
            {"type": "Normal", "reason": "R", "involvedObject": {"kind": "Workflow", "name": "w"}, "message": "m\n"},
            ["<unknown>", "Normal", "R", "workflow/w", None, "m", None, "a"],
        ),
    ],
)
def test_kubernetes_own_kinds_have_kubernetes_own_columns(kind: KindInfo, obj: dict[str, Any], row: list[Any]) -> None:
    assert cells(kind, obj) == row


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        ("{.a.b}", [1]),
        ("$.a.b", [1]),
        (r".labels.sluice\.dev/workflow", ["w"]),
        (".labels['sluice.dev/workflow']", ["w"]),
        (".list[0].v", [10]),
        (".list[-1].v", [20]),
        (".list[7].v", []),
        (".list[*].v", [10, 20]),
        ('.list[?(@.type=="Ready")].v', [10]),
        (".list[?(@.type!='Ready')].v", [20]),
        ('.list[?(@.on == "true")].v', [10]),
        (".a.b.c", []),
        (".nothing", []),
    ],
)
def test_a_path_finds_its_values(path: str, found: list[Any]) -> None:
    obj = {
        "a": {"b": 1},
        "labels": {"sluice.dev/workflow": "w"},
        "list": [{"type": "Ready", "v": 10, "on": True}, {"type": "Other", "v": 20, "on": False}],
    }
    assert compile_path(path)(obj) == found


@pytest.mark.parametrize("path", [".a[", ".a..b", ".a[?(@.b)]", "a b"])
def test_a_path_that_can_not_be_read_is_a_value_error(path: str) -> None:
    with pytest.raises(ValueError, match="can't read"):
        compile_path(path)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-0.5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 61, "3h1m"),
        (8 * 3600 + 61, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86400 + 3600, "8d"),
        (2 * 365 * 86400, "2y"),
        (2 * 365 * 86400 + 86400, "2y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert short_duration(seconds) == shown


@given(st.floats(min_value=0, max_value=1e10))
def test_a_duration_is_at_most_seven_letters(seconds: float) -> None:
    assert len(short_duration(seconds)) <= 7


@pytest.mark.parametrize(
    ("timestamp", "age"),
    [(None, "<unknown>"), ("", "<unknown>"), ("2026-01-01", "<invalid>"), ("2026-01-01T23:59:00.5+00:00", "59s")],
)
def test_ages_are_counted_from_a_timestamp(timestamp: str | None, age: str) -> None:
    assert age_of(timestamp, NOW) == age
