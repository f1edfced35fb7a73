"""The reference names every field, condition and reason."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from sluice.api.kinds import SLUICE_KINDS, KindInfo
from sluice.api.reasons import ConditionType, Reason, StepReason
from sluice.crds import schemas
from sluice.crds.reference import reference_pages
from sluice.domain.admission.policies import POLICIES

PAGES = reference_pages()
REASONS = (Path(__file__).parents[2] / "docs" / "reference" / "reasons.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", REASONS, re.MULTILINE | re.DOTALL))


def rows(page: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


@pytest.mark.parametrize("kind", SLUICE_KINDS, ids=lambda kind: kind.kind)
def test_a_page_lists_the_fields_of_its_kind_once(kind: KindInfo) -> None:
    page = PAGES[f"{kind.singular}.md"]
    listed = rows(page)
    assert len(listed) == len(set(listed))
    for part in ("spec", "status"):
        for name in schemas()[kind.kind]["properties"][part]["properties"]:
            assert f"{part}.{name}" in listed


def test_a_part_that_comes_again_is_told_once() -> None:
    listed = rows(PAGES["workflow.md"])
    assert "spec.definition.steps[].action.http.url" in listed
    assert "spec.definition.finally[].action.http.url" not in listed
    assert "Fields as in `spec.definition.steps[]`." in PAGES["workflow.md"]


def test_a_row_tells_type_default_and_bounds() -> None:
    assert "| `spec.scope` | string |" in PAGES["workflow.md"]
    assert 'Default `"Organization"`. One of `Organization`, `Environment`. |' in PAGES["workflow.md"]
    assert "| `spec.steps[].gate.minRuns` | integer |" in PAGES["rollout.md"]
    assert "**Required.** 1 to 100000. |" in PAGES["rollout.md"]


def test_every_policy_stands_on_the_page_of_its_kind() -> None:
    for policy in POLICIES:
        assert policy.message in PAGES[f"{policy.kind.singular}.md"]


def test_the_index_links_every_page() -> None:
    linked = {"(reasons.md)", *(f"({name})" for name in PAGES if name != "README.md")}
    assert linked == set(re.findall(r"\([a-z]+\.md\)", PAGES["README.md"]))


@pytest.mark.parametrize(
    ("section", "words"),
    [("Conditions", ConditionType), ("Reasons", Reason), ("Reasons of steps", StepReason)],
)
def test_every_condition_and_reason_is_explained_once_and_nothing_else_is(section: str, words: type[StrEnum]) -> None:
    assert sorted(rows(SECTIONS[section])) == sorted(word.value for word in words)
