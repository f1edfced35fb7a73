"""Pydantic's errors in words that help: what is wrong with which value, and what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sluice.api import fields as api
from sluice.domain.definition.validation.findings import Code

PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        api.LABEL_PATTERN: "use lower-case letters, digits and -, with a letter or digit at both ends",
        api.DURATION_PATTERN: "write a duration such as 30s, 5m, 1h30m or 2d",
        api.PERCENT_PATTERN: 'write a whole number from 0 to 100, or a string with up to two decimals such as "0.5"',
        api.STEP_NAME_PATTERN: "use lower-case letters, digits and _, a letter first, at most 40 characters",
        r"^[a-z][a-z0-9_]{0,39}\??$": "write the name of a step, with a ? behind it if it may be skipped",
        r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$": "use letters, digits and _, a letter first, at most 63 characters",
        r"^v[1-9][0-9]{0,8}$": "write a version such as v7",
        api.VERSION_KEY_PATTERN: "write a version such as v7, or d- and the first 12 hex digits of a digest",
        r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "write an e-mail address such as ana@example.com",
        r"^sha256:[0-9a-f]{64}$": "write sha256: and 64 hex digits",
        r"^(Never|([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+)$": "write a duration such as 24h, or Never",
        r"^[0-9]+(\.[0-9]+)?m?$": "write a number of CPUs such as 2, 0.5 or 500m",
        r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|k|M|G)?$": "write an amount of memory such as 512Mi or 2Gi",
        r"^[0-9]+(Ki|Mi|Gi)$": "write an amount of memory such as 512Mi or 2Gi",
        "^[A-Za-z][A-Za-z0-9]*$": "use letters and digits, a letter first",
    }
)
"""What each pattern of the API asks for."""

_WORDS = re.compile(r"\^\(([A-Za-z_|]+)\)\$")

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "string_type": "text",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "a map",
        "model_type": "a map",
        "model_attributes_type": "a map",
    }
)

_BOUNDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "greater_than_equal": ("ge", "must be at least {}"),
        "less_than_equal": ("le", "must be at most {}"),
        "greater_than": ("gt", "must be more than {}"),
        "less_than": ("lt", "must be less than {}"),
        "string_too_long": ("max_length", "is too long: at most {} characters"),
        "string_too_short": ("min_length", "is too short: at least {} characters"),
        "too_long": ("max_length", "has too many entries: at most {}"),
        "too_short": ("min_length", "has too few entries: at least {}"),
    }
)


def sentence_of(error: Mapping[str, Any]) -> tuple[Code, str]:
    """The code and the words for one error of pydantic's; unknown fields are worded by who knows the model."""
    kind, context, value = error["type"], error.get("ctx") or {}, error.get("input")
    if kind == "missing":
        return Code.MISSING, "is required; add it"
    if kind in _TYPES:
        return Code.WRONG_TYPE, f"must be {_TYPES[kind]}{_spoken(kind, value)}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return Code.OUT_OF_BOUNDS, words.format(context[key]) + _count(kind, value)
    if kind == "string_pattern_mismatch":
        return Code.WRONG_FORM, f"{shown(value)} is not allowed: {words_of(str(context['pattern']))}"
    if kind in ("enum", "literal_error"):
        return Code.WRONG_FORM, f"{shown(value)} is not allowed: write {str(context['expected']).replace(chr(39), '')}"
    if kind == "value_error":
        return Code.WRONG_FORM, f"{shown(value)} is not allowed: it {str(error['msg']).removeprefix('Value error, ')}"
    return Code.WRONG_FORM, f"{shown(value)} is not allowed: {error['msg']}"


def words_of(pattern: str) -> str:
    """What a pattern asks for, as an instruction."""
    choice = _WORDS.fullmatch(pattern)
    if choice:
        *others, last = choice.group(1).split("|")
        return f"write {', '.join(others)} or {last}" if others else f"write {last}"
    return PATTERNS.get(pattern, f"it must match {pattern}")


def shown(value: Any) -> str:
    """A value as it may stand in one line."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _spoken(kind: str, value: Any) -> str:
    if value is None:
        return ", and it is empty"
    if isinstance(value, Mapping | list):
        return f", and this is a {'map' if isinstance(value, Mapping) else 'list'}"
    if kind == "string_type":
        return f'; put it in quotes: "{shown(value)}"'
    return f", and {shown(value)} is {'text' if isinstance(value, str) else 'not'}"


def _count(kind: str, value: Any) -> str:
    if kind in ("too_long", "too_short") and isinstance(value, list | Mapping):
        return f", and this has {len(value)}"
    if kind.startswith("string_too"):
        return f", and this has {len(value)}" if isinstance(value, str) else ""
    return f", and this is {shown(value)}"
