"""JSON values made of YAML nodes: only the types JSON has, no key twice, aliases within bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import yaml

from sluice.adapters.files.yaml_nodes import SyntaxProblem, line_of

MAX_DEPTH = 64
MAX_ALIASED = 10_000
"""Nodes that aliases may repeat in one file."""

_CORE = "tag:yaml.org,2002:"
_TRUE = frozenset({"yes", "true", "on"})
_INTEGERS = 2**63


@dataclass(slots=True)
class Builder:
    """Builds the values of one file; keeps count over its documents."""

    aliased: int = 0
    seen: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        """The value of a node; raises SyntaxProblem for what JSON or good sense has no place for."""
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        identity = id(node)
        self._count(node, identity, depth)
        self.seen.add(identity)
        self.open.add(identity)
        if isinstance(node, yaml.SequenceNode):
            _check_tag(node, "seq")
            value: Any = [self.build(item, depth + 1) for item in node.value]
        else:
            _check_tag(node, "map")
            value = self._map(node, depth)
        self.open.discard(identity)
        return value

    def _count(self, node: yaml.Node, identity: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise SyntaxProblem(line_of(node), f"it nests deeper than {MAX_DEPTH}; make it flatter")
        if identity in self.open:
            raise SyntaxProblem(line_of(node), "the anchor here contains an alias of itself; write it out")
        if identity in self.seen:
            self.aliased += len(node.value) + 1
            if self.aliased > MAX_ALIASED:
                message = f"aliases repeat more than {MAX_ALIASED} values, this one among them; write fewer"
                raise SyntaxProblem(line_of(node), message)

    def _map(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise SyntaxProblem(line_of(key_node), "a key is text; lists and maps can't be keys")
            if key_node.tag == f"{_CORE}merge":
                merged = {**self._merged(item, depth), **merged}
                continue
            key = str(key_node.value)
            if key in lines:
                message = f"the key {key} stands here and in line {lines[key]}; keep one of them"
                raise SyntaxProblem(line_of(key_node), message)
            lines[key] = line_of(key_node)
            value[key] = self.build(item, depth + 1)
        return {**merged, **value} if merged else value

    def _merged(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        """What ``<<`` brings: a map, or several of which the first wins."""
        value = self.build(node, depth + 1)
        maps = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in maps):
            raise SyntaxProblem(line_of(node), "<< takes a map, or a list of maps")
        result: dict[str, Any] = {}
        for each in maps:
            result = {**each, **result}
        return result


def _check_tag(node: yaml.Node, kind: str) -> None:
    if node.tag != f"{_CORE}{kind}":
        raise SyntaxProblem(line_of(node), f"the tag {_spelled(node.tag)} is not allowed; write the value without it")


def _spelled(tag: str) -> str:
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    match node.tag.removeprefix(_CORE):
        case "str" | "merge":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() in _TRUE
        case "int":
            return _integer(node, text)
        case "float":
            return _float(node, text)
    _check_tag(node, "str")
    return text


def _integer(node: yaml.ScalarNode, text: str) -> int:
    digits = text.replace("_", "").lower()
    unsigned = digits.lstrip("+-")
    try:
        if unsigned.startswith("0") and unsigned.isdigit() and len(unsigned) > 1:
            value = int(unsigned, 8) * (-1 if digits.startswith("-") else 1)
        else:
            value = int(digits, 0)
    except ValueError as error:
        raise SyntaxProblem(line_of(node), f"{text[:40]} is no whole number; put text in quotes") from error
    if not -_INTEGERS <= value < _INTEGERS:
        raise SyntaxProblem(line_of(node), f"{text[:40]} has more than 64 bits; put it in quotes")
    return value


def _float(node: yaml.ScalarNode, text: str) -> float:
    try:
        value = float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SyntaxProblem(line_of(node), f"{text[:40]} is no number that JSON knows; put text in quotes")
    return value
