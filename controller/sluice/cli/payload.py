"""JSON that people give on the command line: in place, in a file (``@path``), or on stdin (``-``)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from sluice.cli.failures import Wrong


def read_json(option: str, text: str) -> Any:
    """The value that ``text`` means; Wrong names the option, the place and what to write."""
    if text == "-":
        content, where = sys.stdin.buffer.read(), "stdin"
    elif text.startswith("@"):
        where = text[1:]
        try:
            content = Path(where).read_bytes()
        except OSError as error:
            raise Wrong(f"{option}: {where} can't be read: {error.strerror}") from error
    else:
        content, where = text.encode(), "the text"
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Wrong(f"{option}: {where} is no JSON ({place}: {error.msg}); strings stand in double quotes") from error


def read_params(given: Sequence[str]) -> dict[str, Any]:
    """Parameters from ``name=value`` (JSON where it is JSON, else text), and from whole JSON objects as of ``read_json``."""
    params: dict[str, Any] = {}
    for text in given:
        if text.startswith(("{", "@")) or text == "-":
            found = read_json("--params", text)
            if not isinstance(found, dict):
                raise Wrong("--params: a JSON object of names and values is needed")
            params |= found
            continue
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Wrong(f"--params: {text!r} is neither name=value nor a JSON object")
        params[name] = _value(value)
    return params


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
