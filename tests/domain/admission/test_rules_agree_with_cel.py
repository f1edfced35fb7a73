"""The embedded server and a cluster must refuse the same objects: every rule is evaluated both ways."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sluice.crds import schemas
from sluice.domain.admission.kinds import kind_check
from tests.domain.admission.cel import broken
from tests.domain.admission.objects import an
from tests.domain.admission.strategies import writes

KINDS = sorted(schemas())
CHECKS = {kind: kind_check(schema) for kind, schema in schemas().items()}
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def by_python(kind: str, new: dict[str, Any], old: dict[str, Any] | None) -> set[tuple[str, str]]:
    problems = CHECKS[kind].object_problems(new, old)
    return {(problem.field, problem.message.removeprefix("Invalid value: ")) for problem in problems}


def by_cel(kind: str, new: dict[str, Any], old: dict[str, Any] | None) -> set[tuple[str, str]]:
    return set(broken(schemas()[kind], new, old))


@pytest.mark.parametrize("kind", KINDS)
@PATIENT
@given(data=st.data())
def test_python_and_cel_refuse_the_same_new_objects(kind: str, data: st.DataObject) -> None:
    obj, _ = data.draw(writes(kind))
    found = by_python(kind, obj, None)
    event(f"{kind}: {len(found)} broken")
    assert found == by_cel(kind, obj, None)


@pytest.mark.parametrize("kind", KINDS)
@PATIENT
@given(data=st.data())
def test_python_and_cel_refuse_the_same_changes(kind: str, data: st.DataObject) -> None:
    old, new = data.draw(writes(kind))
    CHECKS[kind].object_problems(old)
    found = by_python(kind, new, old)
    event(f"{kind}: {len(found)} broken")
    assert found == by_cel(kind, new, old)


@pytest.mark.parametrize("kind", KINDS)
def test_the_minimal_object_of_each_kind_breaks_no_rule(kind: str) -> None:
    obj = an(kind)
    assert by_python(kind, obj, None) == by_cel(kind, obj, None) == set()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_fits_a_schema_is_not_changed_by_checking_it_twice(kind: str, data: st.DataObject) -> None:
    obj, _ = data.draw(writes(kind))
    CHECKS[kind].object_problems(obj)
    before = copy.deepcopy(obj)
    CHECKS[kind].object_problems(obj)
    assert obj == before
