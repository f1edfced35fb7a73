"""Each kind has a page of its own, and the pages say what the code says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sluice.api.kinds import SLUICE_KINDS, KindInfo
from sluice.api.reasons import ConditionType, Reason, StepReason
from sluice.api.rollout import RolloutPhase
from sluice.api.triggers import TRIGGER_KINDS
from sluice.api.unions import ACTION_KINDS, LOGIC_KINDS, STEP_KINDS
from sluice.api.workflow import Phase
from sluice.api.workflowrun import RunPhase
from sluice.api.workflowversion import VersionPhase
from sluice.crds.reference import reference_pages
from sluice.domain.definition.validation.execution import (
    EXECUTED_KINDS,
    EXECUTED_TRIGGERS,
    UNUSED_FIELDS,
    UNUSED_POLICIES,
)
from tests.docs.blocks import ROOT

PAGES = {kind: (ROOT / "docs" / "kinds" / f"{kind.singular}.md").read_text() for kind in SLUICE_KINDS}
LIMITS = (ROOT / "docs" / "limits.md").read_text()
WORDS = {*ConditionType, *Reason, *StepReason}


@pytest.mark.parametrize("kind", SLUICE_KINDS, ids=lambda kind: kind.kind)
def test_a_page_names_its_kind_short_name_reference_and_conditions(kind: KindInfo) -> None:
    page = PAGES[kind]
    assert page.startswith(f"# {kind.kind}\n")
    assert f"`{kind.short_names[0]}`" in page
    assert f"(../reference/{kind.singular}.md)" in page
    conditions = page.partition("## Conditions")[2]
    assert "| `Ready` |" in conditions
    named = {word for line in conditions.splitlines() if line.startswith("|") for word in re.findall(r"`(\w+)`", line)}
    assert named <= WORDS, f"no condition or reason: {named - WORDS}"


@pytest.mark.parametrize("kind", SLUICE_KINDS, ids=lambda kind: kind.kind)
def test_the_fields_that_a_page_lists_are_there_with_that_default(kind: KindInfo) -> None:
    reference = reference_pages()[f"{kind.singular}.md"]
    known = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", reference, re.M))
    for name, default in fields(PAGES[kind]):
        found = [text for path, text in known.items() if f".{path}".endswith(f".{name}")]
        assert found, f"{kind.kind} has no {name}"
        if default.startswith("`"):
            assert any(default.strip("`") in text for text in found), f"the default of {name} is not {default}"


def fields(page: str) -> Iterator[tuple[str, str]]:
    """Each field of the tables that list fields, with what stands in the column of defaults."""
    for table in re.findall(r"^\| field \|.*\n(?:\|.*\n)+", page, re.M):
        header, _, *rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()]
        for row in rows:
            default = row[2] if header[-1] == "default" and len(row) > 2 else ""
            for name in re.findall(r"`([^`]+)`", row[0]):
                yield re.sub(r"<\w+>", "<key>", name), default


@pytest.mark.parametrize(
    ("kind", "phases"),
    [("workflow", Phase), ("workflowversion", VersionPhase), ("rollout", RolloutPhase), ("workflowrun", RunPhase)],
)
def test_every_phase_is_told(kind: str, phases: type[Phase | VersionPhase | RolloutPhase | RunPhase]) -> None:
    page = next(text for info, text in PAGES.items() if info.singular == kind)
    assert [phase.value for phase in phases if f"`{phase.value}`" not in page] == []


def test_the_limits_name_whatever_is_not_executed() -> None:
    refused = LIMITS.partition("## What is refused")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(\w+)`", refused))
    executed_steps = {kind for kind, _ in EXECUTED_KINDS}
    missing = set(STEP_KINDS) - executed_steps
    missing |= {name for name in ACTION_KINDS if ("action", name) not in EXECUTED_KINDS}
    missing |= {name for name in LOGIC_KINDS if ("logic", name) not in EXECUTED_KINDS}
    missing |= set(TRIGGER_KINDS) - EXECUTED_TRIGGERS
    missing |= UNUSED_POLICIES
    missing |= {name for names in UNUSED_FIELDS.values() for name in names}
    assert missing <= listed
    steps = next(line for line in refused.splitlines() if line.startswith("| steps |"))
    assert {*re.findall(r"`(\w+)`", steps)} - {"action", "logic"} <= missing
