"""Whether two JSON values are the same on the wire."""

from __future__ import annotations

from typing import Any

import orjson


def same(one: Any, other: Any) -> bool:
    """Equal, and equal as JSON: unlike Python, ``1``, ``1.0`` and ``true`` are three different values."""
    if one is other:
        return True
    return bool(one == other) and _encoded(one) == _encoded(other)


def _encoded(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
