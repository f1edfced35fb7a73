"""Links between documents lead somewhere, and commands that documents show exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_group

from sluice.cli import rollouts
from sluice.cli.main import VERBS
from tests.docs.blocks import GENERATED, ROOT, blocks, documents

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s\[]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.M)
COMMAND = re.compile(r"(?:`|\$ |&& )sluice (?P<verb>[a-z]+)(?: (?P<second>[a-z]+))?")
OF_LATER_RELEASES = {"lock", "signal"}
"""Verbs that the reference names for fields which are there before the verb is."""
MADE = re.compile(r"(?:`|\$ )make (?P<target>[a-z-]+)")


def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = [found["title"] for found in HEADING.finditer(file.read_text())]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for found in LINK.finditer(CODE.sub("", file.read_text())):
        target, _, anchor = found["target"].partition("#")
        if "://" in target:
            continue
        there = (file.parent / target).resolve() if target else file
        assert there.exists(), f"{file.name}: {found['target']} leads nowhere"
        assert not anchor or anchor in anchors(there), f"{file.name}: {found['target']} has no such heading"


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(file: Path) -> None:
    steering = set(get_group(rollouts.app).commands)
    known = VERBS.keys() | (OF_LATER_RELEASES if file.is_relative_to(GENERATED) else set())
    for found in COMMAND.finditer(file.read_text()):
        assert found["verb"] in known, f"{file.name}: there is no sluice {found['verb']}"
        if found["verb"] == "rollout" and found["second"]:
            assert found["second"] in steering, f"{file.name}: there is no sluice rollout {found['second']}"


def test_every_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M))
    shown = {found["target"] for file in documents() for found in MADE.finditer(file.read_text())}
    assert {"demo", "test", "check"} <= shown
    assert shown <= targets


def test_the_readme_opens_with_what_it_is_and_yaml_that_does_something() -> None:
    title, first, *_ = (ROOT / "README.md").read_text().split("\n\n")
    assert title == "# Sluice"
    assert first.startswith("Sluice is ")
    (shortest, *_) = [block for block in blocks("yaml") if block.file == ROOT / "README.md"]
    assert shortest.text.count("\n") <= 12
