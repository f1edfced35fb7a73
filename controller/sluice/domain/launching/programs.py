"""What the container of a step runs: its evaluated fields, checked and turned into words as a cluster takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

SHELL: Final = ("/bin/sh", "-ec")
WORD_BYTES: Final = 128 * 1024 - 1
"""Of one argument or variable: more than that Linux does not pass to a program."""
ALL_BYTES: Final = 512 * 1024
"""Of image, arguments and variables together; an object of more than 1.5 MiB is refused by an API server's storage."""


class UnfitError(ValueError):
    """No container can be made of what the expressions came to; the message names the field."""


@dataclass(frozen=True, slots=True)
class Program:
    """``command`` and ``args`` are those of the image where they are empty. ``output_from`` is the path of a file, or empty."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    output_from: str = ""


def program_of(fields: Mapping[str, Any], ours: Mapping[str, str]) -> Program:
    """The program of a step; ``ours`` are variables that it gets beside its own. UnfitError says what is wrong."""
    image = fields.get("image")
    if not isinstance(image, str) or not image or re.search(r"\s", image):
        raise UnfitError(f"image: {_shown(image)} is no name of an image; look at what the expression came to")
    script = fields.get("script")
    command = (*SHELL, script) if script else _words(fields, "command")
    env = {name: _word(value, f"env.{name}") for name, value in (fields.get("env") or {}).items()}
    output_from = fields.get("outputFrom") or ""
    if not isinstance(output_from, str) or (output_from and not output_from.startswith("/")):
        raise UnfitError(f"outputFrom: {_shown(output_from)} is no path that begins with /")
    program = Program(image, command, _words(fields, "args"), env | dict(ours), output_from)
    size = sum(len(word.encode()) for word in (image, *command, *program.args, *program.env, *program.env.values()))
    if size > ALL_BYTES:
        raise UnfitError(
            f"its arguments and variables have {size:,} bytes, {ALL_BYTES:,} are the limit; "
            "keep large data in storage and pass on its key"
        )
    return program


def _words(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(_word(value, f"{name}[{index}]") for index, value in enumerate(fields.get(name) or ()))


def _word(value: Any, where: str) -> str:
    """Text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if "\0" in text:
        raise UnfitError(f"{where} has a NUL character in it, which no program can be given")
    size = len(text.encode("utf-8", "replace"))
    if size > WORD_BYTES:
        raise UnfitError(
            f"{where} has {size:,} bytes, {WORD_BYTES:,} are the limit; keep large data in storage and pass on its key"
        )
    return text


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return repr(text if len(text) <= 80 else text[:79] + "…")
