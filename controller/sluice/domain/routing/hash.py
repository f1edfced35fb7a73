"""A sticky split: the same key meets the same version for as long as the candidate is the same (R030 to R040, C17).

A key's place is ``sha256(salt NUL key)``: its first eight bytes, big-endian, modulo 10,000. The candidate takes the key when
its place is below the percentage in hundredths. So raising the percentage only ever adds keys, and because the salt names the
candidate, a key that was early once is not early always. A key is any JSON value, spelled with sorted map keys and without
spaces; 1 and 1.0 are one key, 1 and "1" are two, null is a key like any other.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sluice.domain.routing.quota import FULL


def salt_of(workflow_uid: str, number: int, digest: str) -> str:
    """What ties places to one workflow and one candidate."""
    return f"{workflow_uid}/v{number}/{digest}"


def place(salt: str, key: Any) -> int:
    """Where a key stands, 0 to 9999."""
    spelled = json.dumps(_plain(key), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    digest = hashlib.sha256(salt.encode() + b"\0" + spelled.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % FULL


def takes(salt: str, key: Any, hundredths: int) -> bool:
    """Whether the candidate takes this key at this percentage."""
    return place(salt, key) < hundredths


def _plain(value: Any) -> Any:
    """Numbers that JSON holds to be equal are spelled alike."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
