"""Writes the history of a git repository as the input of this example: `python export.py [REPOSITORY] > commits.json`."""

from __future__ import annotations

import json
import subprocess
import sys

FORMAT = "--format=%x1e%h%x1f%aI%x1f%s"
"""Record separator, then short hash, author's time and subject with unit separators between them."""


def commits(repository: str) -> list[dict[str, object]]:
    """Oldest first; ``files`` are ``[path, lines added, lines removed]``, binary files left out."""
    command = ["git", "-C", repository, "log", "--reverse", "--no-merges", "--no-renames", "--numstat", FORMAT]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = []
    for record in text.split("\x1e")[1:]:
        head, *lines = record.strip().splitlines()
        commit, at, subject = head.split("\x1f")
        changes = [line.split("\t") for line in lines if line]
        files = [[path, int(added), int(removed)] for added, removed, path in changes if added != "-"]
        found.append({"commit": commit, "at": at, "subject": subject, "files": files})
    return found


if __name__ == "__main__":
    history = commits(sys.argv[1] if len(sys.argv) > 1 else ".")
    rows = ",\n".join(json.dumps(commit, ensure_ascii=False) for commit in history)
    print(f'{{"commits": [\n{rows}\n]}}')
