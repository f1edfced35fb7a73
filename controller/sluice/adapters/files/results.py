"""What loading gives: objects with their places, and findings with theirs. Plain values, so that they may come from a
helper process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.domain.definition.validation.findings import Finding


@dataclass(frozen=True, slots=True)
class FileFinding:
    """A finding and its place; ``line`` is 0 where no line is to blame."""

    file: str
    line: int
    finding: Finding

    @property
    def is_error(self) -> bool:
        """Whether nothing of the folder may be applied because of it."""
        return self.finding.is_error

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        kind = "" if self.is_error else "warning: "
        return f"{place}: {kind}{self.finding}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object as it is to be applied, and where it was written: the file, the line, which document of the file, and the
    way to the object within it (``("items", 2)`` in a List)."""

    obj: dict[str, Any]
    file: str
    line: int
    document: int = 0
    prefix: tuple[str | int, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace and name; two manifests that agree here declare one object."""
        metadata = self.obj.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        group = str(self.obj.get("apiVersion")).rpartition("/")[0]
        return group, str(self.obj.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name") or "")

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The objects of a folder in the order of files and documents, and all findings in the same order."""

    objects: tuple[Manifest, ...] = ()
    findings: tuple[FileFinding, ...] = ()

    @property
    def errors(self) -> tuple[FileFinding, ...]:
        """The findings because of which nothing may be applied."""
        return tuple(finding for finding in self.findings if finding.is_error)
