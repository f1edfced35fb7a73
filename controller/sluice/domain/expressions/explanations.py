"""Say in words what the evaluation of an expression stumbled over, and what to write instead."""

from __future__ import annotations

import re

_STATUS = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_MISSING = re.compile(r'Key not found in map : "?(.*?)"?$')
_UNBOUND = re.compile(r'No value with name "(.+)" found in Activation')
_OUTSIDE = re.compile(r"Index error: index=(-?\d+) size=(\d+)")
_OVERLOAD = re.compile(r"[Nn]o matching overloads? (?:found )?(?:for '(?P<name>.+)' applied to '\((?P<types>.*)\)'"
                       r"|: ?(?P<name2>\S+?)\((?P<types2>.*)\))")  # fmt: skip
_TYPES = {
    "int64": "int",
    "uint64": "uint",
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}


def explain(complaint: str) -> str:
    """The library's words about a failed evaluation as advice; unknown ones as they are."""
    text = without_status(complaint)
    if missing := _MISSING.search(text):
        key = missing[1]
        return f"there is no key {key!r}; where it may be missing, write .?{key}.orValue(...)"
    if outside := _OUTSIDE.search(text):
        return f"there is no item {outside[1]} in a list of {outside[2]}; write [?{outside[1]}].orValue(...)"
    if unbound := _UNBOUND.search(text):
        return f"{unbound[1]} has no value here"
    if "Applying SELECT to non-message type" in text:
        return "a field is read from a value that is no map; write .?field.orValue(...), or test the value first"
    if "Iteration budget exceeded" in text:
        return "it visits more than 10,000 items; do this in a python step"
    return overload_message(text) or text


def without_status(complaint: str) -> str:
    """A complaint without the status codes around it."""
    return _STATUS.sub("", _STATUS.sub("", complaint.strip()))


def overload_message(complaint: str) -> str | None:
    """What to say when an operator or function does not take such values; None if that is not the complaint."""
    match = _OVERLOAD.search(complaint)
    if match is None:
        return None
    name = _operator(match["name"] or match["name2"])
    types = [_type(part) for part in _split_types(match["types"] or match["types2"] or "")]
    text = f"{name} does not take ({', '.join(types)})"
    if any(kind.startswith("optional") for kind in types):
        return f"{text}; end the optional value with .orValue(...)"
    if "null" in types:
        return f"{text}; test for null first, for instance x == null ? 0 : x"
    if "string" in types and name == "+":
        return f"{text}; write string(...) around what is no text"
    if "int" in types and "double" in types:
        return f"{text}; integers and fractions don't mix, write double(...) around both"
    return text


def _operator(name: str) -> str:
    return {"_?_:_": "? :", "@in": "in", "_[_]": "[ ]"}.get(name, name.strip("_@"))


def _type(name: str) -> str:
    name = name.strip()
    for long, short in _TYPES.items():
        name = name.replace(long, short)
    return name


def _split_types(types: str) -> list[str]:
    """``a, map(b, c)`` at its outer commas."""
    parts, depth = [""], 0
    for character in types:
        depth += (character in "(<") - (character in ")>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
