"""The audit chain: the hash of each entry covers the one before, so that nothing in the middle can be changed unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson

from sluice.domain.ledger.records import AuditEvent

GENESIS = "0" * 64
"""What the first entry's hash covers in place of one before."""


def entry_hash(before: str, event: AuditEvent) -> str:
    """SHA-256, in hex, of the hash before and the entry as canonical JSON."""
    entry = [event.at, event.actor, event.action, event.namespace, event.object, event.body]
    return hashlib.sha256(before.encode() + orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()


def first_broken(entries: Iterable[tuple[int, AuditEvent, str]]) -> int:
    """The number of the first of ``entries`` (number, entry, stored hash) whose hash does not fit; 0 if all do."""
    last = GENESIS
    for number, event, stored in entries:
        last = entry_hash(last, event)
        if last != stored:
            return number
    return 0
