"""YAML bodies: timestamps stay text, duplicate keys are reported, and no document can bring the process down.

A few kilobytes of nested aliases stand for gigabytes of JSON, and the C loader, which calls itself for each level,
overflows the stack at some ten thousand. So the events of a document, which the parser gives one by one, are looked at
before the loader sees it.
"""

from __future__ import annotations

from typing import Any

import yaml

from sluice.http.kubernetes.errors import Refused, bad_request

MAX_ALIASES = 100
"""Uses of anchors in one body."""

MAX_DEPTH = 200
"""Maps and lists within each other."""

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.CSafeLoader):
    """The C loader with the types of JSON."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.duplicates: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """A map whose keys are text, each noted when it comes again."""
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            self._note_duplicates(node)
        return {key if isinstance(key, str) else _key_text(key): value for key, value in made.items()}

    def _note_duplicates(self, node: Any) -> None:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                self.duplicates.append(f'line {key.start_mark.line + 1}: key "{key.value}" already set in map')
            seen.add(key.value)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_manifest(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """The one document in ``body`` and the duplicate keys in it; 400 with line and column where it is no YAML."""
    try:
        _refuse_what_would_hurt(body)
        loader = _Loader(body)
        try:
            return loader.get_single_data(), tuple(loader.duplicates)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        if (
            "maximum nesting depth" in (error.problem or "") and error.problem_mark
        ):  # the parser's own limit, above ours
            raise _too_deep(error.problem_mark) from error
        raise bad_request(f"error converting YAML to JSON: {error}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise bad_request(f"error converting YAML to JSON: {error}") from error


def _refuse_what_would_hurt(body: bytes) -> None:
    aliases = depth = 0
    for event in yaml.parse(body, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH:
            raise _too_deep(event.start_mark)
        if aliases > MAX_ALIASES:
            raise bad_request(f"the YAML uses more than {MAX_ALIASES} aliases: write the values out")


def _too_deep(mark: Any) -> Refused:
    line = mark.line + 1 if mark else 0
    return bad_request(f"the YAML nests more than {MAX_DEPTH} levels deep, at line {line}")


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)
