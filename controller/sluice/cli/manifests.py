"""Manifests from files, folders and stdin, checked as a whole: nothing is sent while anything in them is wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sluice.adapters.files.manifests import check_directory, check_files
from sluice.adapters.files.results import FileFinding, LoadResult
from sluice.cli.client import Obj
from sluice.cli.failures import Wrong
from sluice.cli.verb import say

STDIN = "stdin"


def read_manifests(paths: Sequence[str]) -> list[Obj]:
    """The objects of files and folders, and of stdin for ``-``; Wrong lists everything that is wrong, warnings go to stderr."""
    objects: list[Obj] = []
    wrong: list[str] = []
    for path in paths:
        result = load(path)
        objects += [manifest.obj for manifest in result.objects]
        wrong += [placed(finding, path) for finding in result.errors]
        for finding in result.findings:
            if not finding.is_error:
                say(placed(finding, path))
    if wrong:
        raise Wrong("nothing was done, because of\n" + "\n".join(wrong))
    if not objects:
        raise Wrong(f"there is no manifest in {', '.join(paths)}")
    return objects


def load(path: str) -> LoadResult:
    """One file or folder, or stdin, validated."""
    if path == "-":
        return check_files({STDIN: sys.stdin.buffer.read()}, _beside_stdin)
    return check_directory(path)


def placed(finding: FileFinding, path: str) -> str:
    """A finding with a path that leads to it from here."""
    return str(finding) if path == "-" else f"{_prefix(path)}{finding}"


def _prefix(path: str) -> str:
    folder = PurePosixPath(path) if Path(path).is_dir() else PurePosixPath(path).parent
    return "" if str(folder) == "." else f"{folder}/"


def _beside_stdin(relative: str) -> bytes:
    """What stands beside stdin is what stands here."""
    path = (Path.cwd() / relative).resolve(strict=True)
    if not path.is_relative_to(Path.cwd()):
        raise PermissionError("it leads out of the folder")
    return path.read_bytes()
