"""The manifest files of a folder: which they are, and what is in them. The only part of loading that touches a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sluice.adapters.files.results import FileFinding
from sluice.adapters.files.yaml_nodes import MAX_BYTES
from sluice.domain.definition.validation.findings import Code, Finding

EXTENSIONS = frozenset({".yaml", ".yml", ".json"})
IGNORED = frozenset({"kustomization.yaml", "kustomization.yml", "kustomization.json"})
"""Files of other tools that look like manifests."""

MAX_FILES = 20_000


@dataclass(slots=True)
class Folder:
    """A folder that is read once: ``manifests`` by path from the folder, in order, and what could not be read."""

    root: Path
    manifests: dict[str, bytes] = field(default_factory=dict)
    findings: list[FileFinding] = field(default_factory=list)

    def read(self, relative: str) -> bytes:
        """The bytes of any file inside the folder, for ``file:`` of Python steps; OSError if there is none, or if a link
        leads out of the folder."""
        path = (self.root / relative).resolve(strict=True)
        if not path.is_relative_to(self.root.resolve()):
            raise PermissionError("it leads out of the folder")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)


def read_folder(path: str | Path) -> Folder:
    """Every manifest below ``path``, which may be one file too. Hidden files and folders are left out."""
    root = Path(path)
    folder = Folder(root if root.is_dir() else root.parent)
    try:
        if root.is_dir():
            _read_below(folder, root, frozenset({os.path.realpath(root)}))
        else:
            root.stat()
            _read_file(folder, root)
    except FileNotFoundError:
        _complain(folder, root.name, "there is no such file or folder; check the path")
    except OSError as error:
        _complain(folder, root.name, f"it can't be read: {_reason(error)}")
    return folder


def _read_below(folder: Folder, directory: Path, above: frozenset[str]) -> None:
    """``above`` are the real paths of this folder and those around it: a link to one of them would never end."""
    for entry in _entries(folder, directory):
        path = Path(entry.path)
        relative = path.relative_to(folder.root).as_posix()
        real = _real_path(folder, path, relative)
        if real is None:
            continue
        if not os.path.isdir(real):
            if path.suffix in EXTENSIONS and path.name not in IGNORED:
                _read_file(folder, path)
        elif real in above:
            _complain(folder, relative, "this link leads back to a folder around it; remove it")
        else:
            _read_below(folder, path, above | {real})
        if len(folder.manifests) > MAX_FILES:
            _complain(folder, relative, f"there are more than {MAX_FILES} manifests; split the folder")
            return


def _entries(folder: Folder, directory: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from sorted(
                (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name
            )
    except OSError as error:
        relative = directory.relative_to(folder.root).as_posix()
        _complain(folder, relative, f"the folder can't be read: {_reason(error)}; give access to it or move it away")


def _real_path(folder: Folder, path: Path, relative: str) -> str | None:
    """Where a path leads; None, with a finding if that matters, where it leads nowhere or out of the folder."""
    try:
        real = os.path.realpath(path, strict=True)
    except OSError as error:
        if path.suffix in EXTENSIONS or not path.suffix:
            _complain(folder, relative, f"this link can't be followed: {_reason(error)}; remove it")
        return None
    if path.is_symlink() and not Path(real).is_relative_to(os.path.realpath(folder.root)):
        if os.path.isdir(real) or path.suffix in EXTENSIONS:
            _complain(folder, relative, "this link leads out of the folder; put the file itself here")
        return None
    return real


def _read_file(folder: Folder, path: Path) -> None:
    relative = path.relative_to(folder.root).as_posix()
    try:
        if not path.is_file():
            _complain(folder, relative, "this is no file; remove it")
            return
        with path.open("rb") as file:
            # One byte over the limit is enough to see that it is too large.
            content = file.read(MAX_BYTES + 1)
        size = path.stat().st_size
    except OSError as error:
        _complain(folder, relative, f"the file can't be read: {_reason(error)}; give access to it or move it away")
        return
    if size > MAX_BYTES:
        message = f"the file has {size} bytes and {MAX_BYTES} are the limit; split it"
        folder.findings.append(FileFinding(relative, 0, Finding("", message, code=Code.TOO_LARGE)))
        return
    folder.manifests[relative] = content


def _complain(folder: Folder, file: str, message: str) -> None:
    folder.findings.append(FileFinding(file, 0, Finding("", message, code=Code.UNREADABLE)))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
