"""The versions that the image is built with: those of this environment, in which the tests run.

``python -m tests.manifests.pins`` writes them anew, after an upgrade that the tests passed with.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILE = ROOT / "controller" / "constraints.txt"
EXTRAS = ("cluster", "postgres")
"""Of this project, in the image."""
BUILDER = "setuptools"
"""What builds the wheel. It is not here: whoever builds gets it for that alone."""
HEADER = "# What the image is built with; written by `python -m tests.manifests.pins`.\n"


def project() -> list[Requirement]:
    """What the image needs by name."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in EXTRAS for line in told["optional-dependencies"][extra]]
    return [Requirement(line) for line in (*told["dependencies"], *extras)]


def needed(wanted: Iterable[Requirement]) -> dict[str, str]:
    """Name to version here, of these and of all that they need in turn."""
    found: dict[str, str] = {}
    asked: set[tuple[str, str]] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        there = distribution(name)
        found[name] = there.version
        for extra in {"", *requirement.extras} - {extra for known, extra in asked if known == name}:
            asked.add((name, extra))
            waiting += _requires(there.requires or (), extra)
    return found


def _requires(lines: Iterable[str], extra: str) -> Iterator[Requirement]:
    environment = {**default_environment(), "extra": extra}
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


def pinned() -> dict[str, str]:
    """Name to version in the file."""
    lines = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def main() -> None:
    """Write the file; the builder's version stays."""
    versions = {BUILDER: pinned()[BUILDER], **needed(project())}
    FILE.write_text(HEADER + "".join(f"{name}=={versions[name]}\n" for name in sorted(versions)))


if __name__ == "__main__":
    sys.exit(main())
