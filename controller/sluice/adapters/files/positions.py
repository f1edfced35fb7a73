"""Where in a file the field of a finding stands. Only looked for when there is a finding."""

from __future__ import annotations

import json
import re

import yaml

from sluice.adapters.files.yaml_nodes import line_of

_PART = re.compile(r'\.?([A-Za-z0-9_-]+)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]')


def parts_of(field: str) -> list[str | int]:
    """The way that a field's path spells: ``steps[2].when`` is steps, 2, when."""
    parts: list[str | int] = []
    for name, index, quoted in _PART.findall(field):
        parts.append(int(index) if index else json.loads(quoted) if quoted else name)
    return parts


def find_line(root: yaml.Node, parts: list[str | int]) -> int:
    """The line of a field, or of the nearest thing around it that is there."""
    node, line = root, line_of(root)
    for part in parts:
        found = _child(node, part)
        if found is None:
            return line
        node, line = found
    return line


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    """A member and the line of its key, or of the entry itself in a list."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(part):
                return value, line_of(key)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], line_of(node.value[part])
    return None
