"""What a case of bad input is, and short ways to write manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent, indent


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link instead of a file."""

    target: str


@dataclass(frozen=True, slots=True)
class Case:
    """Files that can't be applied. The line that says so names ``file`` and ``field`` and contains ``says``; ``line`` is
    checked where it is given."""

    name: str
    files: Mapping[str, str | bytes | Link]
    field: str
    says: str
    file: str = "workflow.yaml"
    line: int | None = None

    def matches(self, text: str) -> bool:
        """Whether a line of output is the one expected."""
        place, _, rest = text.partition(": ")
        named = place == self.file if self.line is None else place == f"{self.file}:{self.line}"
        named = named or (self.line is None and place.rpartition(":")[0] == self.file)
        about = rest.startswith(f"{self.field}: ") if self.field else True
        return named and about and self.says in rest


def obj(kind: str, name: str, spec: str) -> str:
    """A manifest; ``spec`` is YAML."""
    body = indent(dedent(spec).strip("\n"), "  ")
    return f"apiVersion: sluice.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{body}\n"


def workflow(definition: str, spec: str = "", name: str = "hello") -> str:
    """A Workflow; the definition begins in line 7."""
    extra = f"\n{dedent(spec).strip()}" if spec else ""
    return obj(
        "Workflow", name, "owner: ana@example.com\ndefinition:\n" + indent(dedent(definition).strip("\n"), "  ") + extra
    )


def steps(*written: str, more: str = "") -> str:
    """A Workflow of steps, each in YAML's flow style without the outer braces."""
    lines = [f"- {{{step}}}" for step in written]
    return workflow("steps:\n" + "\n".join(lines) + ("\n" + dedent(more).strip("\n") if more else ""))


PY = "action: {python: {code: output = 1}}"
"""A kind for steps of which something else is wrong."""


def case(name: str, manifest: str | bytes, field: str, says: str, line: int | None = None) -> Case:
    """A case of one file."""
    return Case(name, {"workflow.yaml": manifest}, field, says, line=line)
