"""Results on stdout: objects as JSON or YAML, names, and tables as kubectl lays them out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

import orjson
import yaml

from sluice.api.kinds import kind_of
from sluice.cli.client import Obj
from sluice.cli.verb import Format

GAP = 3
"""Spaces between two columns."""


def print_objects(objects: Sequence[Obj], format: Format, *, as_list: bool) -> None:
    """The objects themselves, as kubectl prints them; several, or what was a list, as a List."""
    if format is Format.NAME:
        for obj in objects:
            print(name_of(obj))
        return
    items = [without_managers(obj) for obj in objects]
    shown = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items} if as_list else items[0]
    print(as_json(shown) if format is Format.JSON else as_yaml(shown))


def is_whole(format: Format | None) -> TypeGuard[Format]:
    """Whether objects are to be printed, and no table."""
    return format in {Format.JSON, Format.YAML, Format.NAME}


def as_json(value: Any) -> str:
    """Indented JSON without a newline at the end."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def as_line(value: Any) -> str:
    """JSON on one line."""
    return orjson.dumps(value).decode()


def as_yaml(value: Any) -> str:
    """YAML in block style without a newline at the end; text of several lines stays readable."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")


def name_of(obj: Obj) -> str:
    """``workflow.sluice.dev/hello``, as ``-o name`` says."""
    kind = kind_of(obj["apiVersion"], obj["kind"])
    group = obj["apiVersion"].rpartition("/")[0]
    singular = kind.singular if kind else obj["kind"].lower()
    return f"{singular}.{group}/{obj['metadata']['name']}" if group else f"{singular}/{obj['metadata']['name']}"


def without_managers(obj: Obj) -> Obj:
    """The object without ``managedFields``, which fill screens and tell people little."""
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def print_table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, with_headers: bool = True) -> None:
    """Rows under headers; the last column takes what room it needs."""
    for line in table_lines(headers, rows, with_headers=with_headers):
        print(line)


def table_lines(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, with_headers: bool = True) -> list[str]:
    """The lines of a table, without trailing spaces."""
    texts = [[text_of(cell) for cell in row] for row in rows]
    lines = [[header.upper() for header in headers], *texts] if with_headers else texts
    widths = [max((len(line[at]) for line in lines), default=0) for at in range(len(headers))]
    return [
        "".join(cell.ljust(width + GAP) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]


def text_of(cell: Any) -> str:
    """A cell on one line."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell).partition("\n")[0]


def print_server_table(table: Obj, *, wide: bool, with_namespace: bool = False, with_headers: bool = True) -> None:
    """A Table of the server: its columns, those of priority 0 unless ``wide``."""
    definitions = table.get("columnDefinitions") or []
    shown = [at for at, column in enumerate(definitions) if wide or not column.get("priority")]
    headers = [definitions[at]["name"] for at in shown]
    rows = [[row["cells"][at] for at in shown] for row in table.get("rows") or []]
    if with_namespace:
        headers = ["Namespace", *headers]
        spaces = [row["object"]["metadata"].get("namespace") for row in table.get("rows") or []]
        rows = [[space, *row] for space, row in zip(spaces, rows, strict=True)]
    print_table(headers, rows, with_headers=with_headers)


def is_terminal() -> bool:
    """Whether somebody watches stderr, where progress is told."""
    return sys.stderr.isatty()


class _Dumper(yaml.SafeDumper):
    """Repeats equal parts instead of referring to them, and writes text of several lines as a block."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Never an alias."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if text in {"y", "Y", "n", "N"} else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
