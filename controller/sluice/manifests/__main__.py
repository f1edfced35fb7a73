"""``python -m sluice.manifests`` writes manifests and chart; with ``--check`` it only says what is out of date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sluice.manifests.output import generated_files


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: written, or nothing to write; 1: ``--check`` found a file that differs."""
    parser = argparse.ArgumentParser(prog="python -m sluice.manifests", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the repository (default: the current folder)")
    given = parser.parse_args(arguments)
    outdated = {path: text for path, text in generated_files(given.root).items() if _content(path) != text}
    if given.check:
        for path in outdated:
            print(f"{path} is out of date; run: python -m sluice.manifests", file=sys.stderr)
        return 1 if outdated else 0
    for path, text in outdated.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return 0


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
