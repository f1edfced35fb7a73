"""Identifiers that people and programs quote: ``wfl_``, ``wflv_`` and ``wfr_``, derived from an object's uid (R025, R026).

Derived, not drawn: whoever knows the uid knows the identifier, so a status that is lost is rebuilt the same.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LENGTH: Final = 22


def workflow_id(uid: str) -> str:
    """``wfl_`` and 22 characters."""
    return f"wfl_{_derive(uid)}"


def version_id(uid: str) -> str:
    """``wflv_`` and 22 characters."""
    return f"wflv_{_derive(uid)}"


def run_id(uid: str) -> str:
    """``wfr_`` and 22 characters."""
    return f"wfr_{_derive(uid)}"


@lru_cache(maxsize=4096)
def _derive(uid: str) -> str:
    if not uid:
        raise ValueError("an object has no identifier before the server gave it a uid")
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:14], "big")
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
