"""The documents of one manifest file: bytes in, JSON values out, or the one reason why not. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from sluice.adapters.files.positions import find_line, parts_of
from sluice.adapters.files.yaml_nodes import MAX_BYTES, SyntaxProblem, compose, line_of
from sluice.adapters.files.yaml_values import MAX_DEPTH, Builder


@dataclass(frozen=True, slots=True)
class Document:
    """One value of a file; ``line`` is where it begins, ``index`` which document of the file it is."""

    value: Any
    line: int
    index: int


def read_documents(content: bytes, *, is_json: bool = False) -> list[Document]:
    """All documents that say something, in order; SyntaxProblem if any of them can't be read."""
    text = decode(content)
    if is_json:
        return [Document(_from_json(text), 1, 0)] if text.strip() else []
    builder = Builder()
    found = []
    for index, node in enumerate(_composed(text)):
        value = builder.build(node)
        if value is not None:
            found.append(Document(value, line_of(node), index))
    return found


def line_in(content: bytes, document: int, prefix: Sequence[str | int], field: str) -> int:
    """The line where a field of a document stands; ``prefix`` leads to the object within the document. 0 if unknown."""
    try:
        return find_line(_nodes_of(content)[document], [*prefix, *parts_of(field)])
    except (SyntaxProblem, IndexError):
        return 0


@lru_cache(maxsize=1)
def _nodes_of(content: bytes) -> list[yaml.Node]:
    """The nodes of the file that was asked about last: findings come in bunches. JSON may indent with tabs."""
    return _composed(decode(content).replace("\t", " "))


def forget_places() -> None:
    """Let go of the file that was asked about last; its nodes are many times its size."""
    _nodes_of.cache_clear()


def lines_of_items(content: bytes, document: int, key: str) -> list[int]:
    """The lines where the entries of a list in a document begin; empty if unknown."""
    try:
        root = _nodes_of(content)[document]
    except (SyntaxProblem, IndexError):
        return []
    for name, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if name.value == key and isinstance(value, yaml.SequenceNode):
            return [line_of(item) for item in value.value]
    return []


def decode(content: bytes) -> str:
    """The text of a file; a byte order mark is dropped."""
    if len(content) > MAX_BYTES:
        raise SyntaxProblem(0, f"the file has {len(content)} bytes and {MAX_BYTES} are the limit; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SyntaxProblem(line, "the file is not UTF-8; save it as UTF-8") from error
    if "\0" in text:
        raise SyntaxProblem(text.count("\n", 0, text.index("\0")) + 1, "a NUL character stands here; remove it")
    return text


def _composed(text: str) -> list[yaml.Node]:
    try:
        return compose(text)
    except RecursionError as error:
        raise SyntaxProblem(1, f"it nests deeper than {MAX_DEPTH}; make it flatter") from error


def _from_json(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise SyntaxProblem(error.lineno, f"this is no JSON: {error.msg}") from error
    except ValueError as error:
        raise SyntaxProblem(1, str(error)) from error
    except RecursionError as error:
        raise SyntaxProblem(1, f"it nests deeper than {MAX_DEPTH}; make it flatter") from error
    _check_depth(value, 0)
    return value


def _check_depth(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SyntaxProblem(1, f"it nests deeper than {MAX_DEPTH}; make it flatter")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, depth + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice} stands twice in one map; keep one of them")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number that JSON knows; put text in quotes")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _no_constant(text)
    return value
