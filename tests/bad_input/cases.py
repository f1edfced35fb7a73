"""A table of bad input: files, and the one line that must be said about them. Every surface that reads manifests is held
to it: loading and validating here, the command line and the embedded server elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.bad_input import definition_cases, file_cases, object_cases
from tests.bad_input.case import Case, Link

__all__ = ["CASES", "Case", "write_files"]

CASES: list[Case] = [*definition_cases.CASES, *object_cases.CASES, *file_cases.CASES]
"""Every case; names are unique."""


def write_files(case: Case, folder: Path) -> None:
    """Put the files of a case into an empty folder."""
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
