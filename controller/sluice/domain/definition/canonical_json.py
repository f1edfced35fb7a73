"""JSON with exactly one spelling for each value, as RFC 8785 has it: keys sorted by UTF-16 units, numbers as ECMAScript
writes them, no space. One difference: integers keep all of their digits, for Kubernetes keeps 64 bits of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_quoted = json.encoder.encode_basestring


def canonical_json(value: Any) -> bytes:
    """The UTF-8 bytes of ``value``; raises ValueError for what is no JSON: NaN, infinities, half surrogates, objects."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(_quoted(value))
    elif value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        parts.append(int.__repr__(value))
    elif isinstance(value, float):
        parts.append(spell_float(value))
    elif isinstance(value, Mapping):
        _write_map(value, parts)
    elif isinstance(value, list | tuple):
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        raise ValueError(f"a {type(value).__name__} is no JSON")


def _write_map(value: Mapping[Any, Any], parts: list[str]) -> None:
    if not all(isinstance(key, str) for key in value):
        raise ValueError("a key of a map is no text; JSON's keys are")
    ascii_only = all(key.isascii() for key in value)
    keys = sorted(value) if ascii_only else sorted(value, key=lambda key: key.encode("utf-16-be"))
    parts.append("{")
    for index, key in enumerate(keys):
        parts.append("," if index else "")
        parts.append(_quoted(key))
        parts.append(":")
        _write(value[key], parts)
    parts.append("}")


def spell_float(value: float) -> str:
    """A double as ECMAScript writes it: the fewest digits that read back as the same, no exponent from 1e-6 to 1e21."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{float.__repr__(abs(value))}e0".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent.partition("e")[0])
    if whole == "0":
        point -= len(whole) + len(fraction) - len(digits)
    digits = digits.rstrip("0")
    return sign + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    """``0.digits`` times ten to the power of ``point``."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
