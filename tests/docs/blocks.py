"""The fenced blocks of the documents, with what the comment above them says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "reference"
_FENCE = re.compile(r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Block:
    """``note`` is the comment right above the fence, empty if there is none; ``line`` is the fence's."""

    file: Path
    line: int
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def documents() -> list[Path]:
    """Every page that people read."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])


def blocks(*languages: str) -> list[Block]:
    """The blocks in these languages, in all documents."""
    return [block for file in documents() for block in _blocks(file) if block.language in languages]


def section(file: Path, title: str, *languages: str) -> list[Block]:
    """The blocks in these languages of one section of a page, in the order that they are read in."""
    lines = file.read_text().splitlines()
    first = lines.index(f"## {title}")
    last = next(number for number, line in enumerate(lines[first + 1 :], first + 1) if line.startswith("## "))
    return [block for block in _blocks(file) if first < block.line <= last and block.language in languages]


def _blocks(file: Path) -> Iterator[Block]:
    text = file.read_text()
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(file, line, found["language"], found["note"] or "", found["text"])
