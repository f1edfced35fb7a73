"""The generated files and what must stand in them: the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import yaml

from sluice.api.kinds import SLUICE_KINDS
from sluice.crds.bundle import BUNDLE
from sluice.crds.columns import PRINTER_COLUMNS
from sluice.crds.definitions import definitions, schema_of
from sluice.crds.reference import reference_pages

HEADER = "# Generated from the models by `python -m sluice.crds`; do not edit.\n"


def generated_files(root: Path) -> dict[Path, bytes]:
    """Path below ``root`` (the repository) to content."""
    files = {root / "crds" / name: as_yaml(manifest) for name, manifest in definitions().items()}
    for name, page in reference_pages().items():
        files[root / "docs" / "reference" / name] = page.encode()
    files[root / "controller" / "sluice" / "crds" / BUNDLE.name] = bundle()
    return files


def bundle() -> bytes:
    """Schemas and columns of all kinds as one JSON document."""
    entries = {
        kind.kind: {"schema": schema_of(kind), "columns": list(PRINTER_COLUMNS[kind.kind])} for kind in SLUICE_KINDS
    }
    return orjson.dumps(entries, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def as_yaml(*manifests: dict[str, Any]) -> bytes:
    """Manifests as one YAML file with the header, without anchors, in the order that they were made in."""
    text = yaml.dump_all(manifests, Dumper=_PlainDumper, sort_keys=False, width=120, allow_unicode=True)
    return f"{HEADER}{text}".encode()


class _PlainDumper(yaml.SafeDumper):
    """Repeats equal parts instead of referring to them: not every reader of manifests knows anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Never an alias."""
        return True


def _text(dumper: _PlainDumper, text: str) -> yaml.ScalarNode:
    style = "'" if text in {"y", "Y", "n", "N"} else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlainDumper.add_representer(str, _text)  # kubectl reads a bare y as true
