"""What the code of a real Kubernetes API server made of these objects (``apiserver/main.go`` recorded it), we make of them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest

from sluice.domain.admission.kinds import kind_check

VECTORS = orjson.loads(Path(__file__).with_name("vectors.json").read_bytes())
CHECK = kind_check(VECTORS["schema"])
CASES = {case["name"]: case for case in VECTORS["cases"]}


def recorded(case: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((cause["field"], cause["reason"], cause["message"]) for cause in case["causes"])


def ours(case: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    new = copy.deepcopy(case["new"])
    old = copy.deepcopy(case.get("old"))
    if old:
        CHECK.object_problems(old)  # as it was stored
    problems = CHECK.object_problems(new, old)
    return new, sorted((problem.field, problem.reason, problem.message) for problem in problems)


@pytest.mark.parametrize("name", CASES)
def test_objects_and_causes_are_those_of_an_api_server(name: str) -> None:
    obj, causes = ours(CASES[name])
    assert causes == recorded(CASES[name])
    assert causes or obj == CASES[name]["object"]
