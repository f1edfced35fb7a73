"""R025, R026: identifiers begin with their kind and are derived from the uid."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.identity import run_id, version_id, workflow_id

UID = "6f1a3f0e-9c2b-4a55-8f1e-0b6c2f3d4e5f"


def test_identifiers_are_the_same_for_ever():
    assert workflow_id(UID) == "wfl_1t7g401hrcizxrw8k6qbq5"
    assert version_id(UID) == "wflv_1t7g401hrcizxrw8k6qbq5"
    assert run_id(UID) == "wfr_1t7g401hrcizxrw8k6qbq5"


@given(st.uuids(), st.uuids())
def test_two_objects_never_share_an_identifier(one: object, other: object):
    assert (workflow_id(str(one)) == workflow_id(str(other))) == (one == other)


@given(st.text(min_size=1))
def test_an_identifier_fits_anywhere(uid: str):
    assert re.fullmatch("wfl_[0-9a-z]{22}", workflow_id(uid))


def test_an_object_without_uid_has_no_identifier():
    with pytest.raises(ValueError, match="uid"):
        workflow_id("")
