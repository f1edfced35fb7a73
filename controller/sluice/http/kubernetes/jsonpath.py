"""The JSONPath of printer columns: ``.status.conditions[?(@.type=="Ready")].status`` and simpler ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterator[Any]]
"""From one value to those below it that the step selects."""

_TOKEN = re.compile(
    r"""
    \.(?P<field>(?:[^.\[\]\\]|\\.)+)                                        # .name, with \. for a dot
    | \[(?P<quote>['"])(?P<quoted>(?:(?!(?P=quote)).)*)(?P=quote)\]         # ['name']
    | \[(?P<index>-?\d+)\]
    | (?P<all>\[\*\])
    | \[\?\(\s*@(?P<left>[^=!]+?)\s*(?P<op>==|!=)\s*(?P<right>"[^"]*"|'[^']*'|[^\s)]+)\s*\)\]
    """,
    re.VERBOSE,
)


@lru_cache(maxsize=1024)
def compile_path(path: str) -> Callable[[Any], list[Any]]:
    """A function that gives all values which ``path`` selects in an object; ValueError when it is no such path."""
    steps = tuple(_steps(path))

    def select(root: Any) -> list[Any]:
        values = [root]
        for step in steps:
            values = [found for value in values for found in step(value)]
        return values

    return select


def _steps(path: str) -> Iterator[Step]:
    rest = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    at = 0
    while at < len(rest):
        token = _TOKEN.match(rest, at)
        if token is None:
            raise ValueError(f"JSONPath {path!r}: can't read {rest[at:]!r}")
        yield _step(token)
        at = token.end()


def _step(token: re.Match[str]) -> Step:
    if token["field"] is not None:
        return _field(re.sub(r"\\(.)", r"\1", token["field"]))
    if token["quoted"] is not None:
        return _field(token["quoted"].replace("\\", ""))
    if token["index"] is not None:
        return _index(int(token["index"]))
    if token["all"] is not None:
        return _all
    return _filter(compile_path(token["left"].strip()), token["right"].strip("'\""), equal=token["op"] == "==")


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(position: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= position < len(value):
            yield value[position]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _filter(left: Callable[[Any], list[Any]], right: str, *, equal: bool) -> Step:
    def step(value: Any) -> Iterator[Any]:
        for item in _all(value):
            found = left(item)
            if found and (_text(found[0]) == right) is equal:
                yield item

    return step


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
