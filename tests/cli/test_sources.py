from __future__ import annotations

from typing import Any

import pytest

from sluice.cli.failures import Failed
from sluice.cli.sources import changed_paths, refuse_owned, source_of, told


def rollout(spec: dict[str, Any], **owned: dict[str, Any]) -> dict[str, Any]:
    managed = [
        {"manager": manager.replace("__", "/"), "fieldsV1": {"f:spec": fields}} for manager, fields in owned.items()
    ]
    return {"kind": "Rollout", "metadata": {"name": "a", "managedFields": managed}, "spec": spec}


def test_a_patch_is_taken_apart_into_the_fields_that_it_changes() -> None:
    patch = {
        "metadata": {"resourceVersion": "1", "labels": {"a": "b"}},
        "spec": {"holds": {"v7": None}, "stops": {"v7": {}}, "percent": 3},
    }
    assert list(changed_paths(patch)) == [
        ("metadata", "labels", "a"),
        ("spec", "holds", "v7"),
        ("spec", "stops", "v7"),
        ("spec", "percent"),
    ]


@pytest.mark.parametrize(
    ("fields", "patch", "refused"),
    [
        ({"f:percent": {}}, {"percent": 5}, True),
        ({"f:percent": {}}, {"percent": 10}, False),
        ({"f:percent": {}}, {"stops": {"v7": {"attempt": 1}}}, False),
        ({"f:stops": {"f:v7": {"f:attempt": {}}}}, {"stops": {"v8": {"attempt": 1}}}, False),
        ({"f:stops": {".": {}, "f:v7": {"f:attempt": {}}}}, {"stops": {"v8": {"attempt": 1}}}, False),
        ({"f:stops": {"f:v7": {".": {}, "f:attempt": {}}}}, {"stops": {"v7": None}}, True),
        ({"f:stops": {"f:v7": {"f:attempt": {}}}}, {"stops": {"v7": {"reason": "mine"}}}, False),
    ],
)
def test_only_fields_of_a_source_are_refused(fields: dict[str, Any], patch: dict[str, Any], refused: bool) -> None:
    obj = rollout({"percent": 10, "stops": {"v7": {"attempt": 1}}}, **{"sluice-git__main": fields})
    if not refused:
        refuse_owned(obj, {"spec": patch})
        return
    with pytest.raises(Failed, match=r"^Rollout a: spec\.\S+ is owned by the git source main"):
        refuse_owned(obj, {"spec": patch})


def test_what_people_own_is_anybodys() -> None:
    obj = rollout({"percent": 10}, **{"sluice-cli__ana": {"f:percent": {}}, "kubectl-edit": {"f:percent": {}}})
    refuse_owned(obj, {"spec": {"percent": 5}})


def test_a_source_beside_a_person_still_owns_its_field() -> None:
    obj = rollout({}, **{"sluice-git__main": {"f:percent": {}}, "zed": {"f:percent": {}}})
    assert source_of(obj, ("spec", "percent")) == "sluice-git/main"


def test_each_source_tells_where_to_change_it() -> None:
    assert told("sluice-git/main") == "the git source main: change it in its repository and let it be merged"
    assert told("sluice-dir/flows") == "the folder flows: change the file there; it is applied when it is saved"
