"""The page about the command line names every verb, and what it is told by."""

from __future__ import annotations

import re

import pytest
from typer.main import get_group

from sluice.cli import rollouts
from sluice.cli.main import VERBS
from sluice.cli.records import NAMESPACE, NAMESPACE_VARIABLE, SERVICE, TOKEN_VARIABLE
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "command-line.md").read_text()
ROWS = re.findall(r"^\| (`[^|]*) \|", PAGE.partition("## Verbs")[2].partition("\n## ")[0], re.M)


def test_every_verb_has_a_row() -> None:
    named = {word for row in ROWS for cell in re.findall(r"`([^`]+)`", row) for word in cell.split()}
    assert {*VERBS, *get_group(rollouts.app).commands} - named == set()


@pytest.mark.parametrize("word", [NAMESPACE, NAMESPACE_VARIABLE, SERVICE, TOKEN_VARIABLE])
def test_what_leads_to_the_controller_is_named(word: str) -> None:
    assert f"`{word}`" in PAGE
