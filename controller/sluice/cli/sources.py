"""Fields that a source owns: what git or a folder says is not changed by hand, since it would be put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sluice.cli.client import Obj
from sluice.cli.failures import Failed
from sluice.domain.rollouts.owners import who_wrote

GIT, FOLDER = "sluice-git/", "sluice-dir/"
FieldPath = tuple[str, ...]


def refuse_owned(obj: Obj, patch: Mapping[str, Any]) -> None:
    """Failed when a source owns a field that ``patch`` (a merge patch) sets or removes; it names the source and what to do.

    Entries of request maps are fields of their own: beside a source's entries a person may add others.
    """
    for path in changed_paths(patch):
        source = source_of(obj, path)
        if source and is_change(obj, path, patch):
            raise Failed(f"{obj['kind']} {obj['metadata']['name']}: {'.'.join(path)} is owned by {told(source)}")


def source_of(obj: Obj, path: Sequence[str]) -> str:
    """The source that owns ``path``, as its field manager; empty when none does. Paths as ``who_wrote`` takes them."""
    for entry in obj["metadata"].get("managedFields") or ():
        manager = str(entry.get("manager") or "")
        if manager.startswith((GIT, FOLDER)) and who_wrote([entry], path):
            return manager
    return ""


def told(source: str) -> str:
    """A source by its name, and what to do there."""
    name = source.partition("/")[2]
    if source.startswith(GIT):
        return f"the git source {name}: change it in its repository and let it be merged"
    return f"the folder {name}: change the file there; it is applied when it is saved"


def changed_paths(patch: Mapping[str, Any], at: FieldPath = ()) -> Iterator[FieldPath]:
    """The path of each value that a merge patch sets or removes; resourceVersion is a condition, not a change."""
    for key, value in patch.items():
        path = (*at, key)
        if path == ("metadata", "resourceVersion"):
            continue
        if isinstance(value, Mapping) and value:
            yield from changed_paths(value, path)
        else:
            yield path


def is_change(obj: Obj, path: FieldPath, patch: Mapping[str, Any]) -> bool:
    """Whether the patch says something else than the object does already."""
    return bool(_at(obj, path) != _at(patch, path))


def _at(value: Any, path: FieldPath) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
