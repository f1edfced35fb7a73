"""Objects as the bytes that are kept of them."""

from __future__ import annotations

from typing import Any

import orjson


def encoded(value: Any) -> bytes:
    """``value`` as JSON, in no more memory than it is long. orjson.JSONEncodeError says what JSON can't.

    What the encoder gives holds on to the buffer that it was written into, which is two to four times as large: that is
    right for what is sent and forgotten, and most of a cache's memory in what is kept.
    """
    return bytes(memoryview(orjson.dumps(value)))
