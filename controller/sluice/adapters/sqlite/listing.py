"""Lists, whole or in pages. All pages of a list show the same moment: rows are immutable, so a page keeps the rest."""

from __future__ import annotations

import base64
import itertools
import threading
from collections import OrderedDict
from typing import NamedTuple

import orjson

from sluice.adapters.sqlite.memory import ObjectMemory
from sluice.adapters.sqlite.rows import Row, Table
from sluice.domain.objects.selectors import BadSelector, Matcher, parse_selector
from sluice.ports.clock import Clock
from sluice.ports.errors import BadRequest, Gone
from sluice.ports.store import Selector

MAX_OPEN_LISTS = 128
KEPT_SECONDS = 300.0
"""As long as a Kubernetes API server keeps the state of a list by default."""


class RawPage(NamedTuple):
    """One page of encoded objects, in order; ``continue_`` is empty on the last page."""

    items: list[bytes]
    resource_version: str
    continue_: str = ""
    remaining: int = 0


class _Rest(NamedTuple):
    resource: str
    version: int
    rows: list[Row]
    started: float


class Lists:
    """Takes lists, and keeps what is left of those that are read in pages."""

    def __init__(self, memory: ObjectMemory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._lock = threading.Lock()
        self._rests: OrderedDict[int, _Rest] = OrderedDict()
        self._numbers = itertools.count(1)

    def take(self, table: Table, namespace: str, matcher: Matcher, *, limit: int = 0) -> RawPage:
        """The first page, or the whole list when ``limit`` is 0."""
        with self._memory.lock:
            rows = [table.rows[key] for key in table.keys_in(namespace)]
            version = self._memory.version
        rows = table.narrowed(rows, matcher)
        if not limit or len(rows) <= limit:
            return RawPage([row.raw for row in rows], str(version))
        with self._lock:
            number = next(self._numbers)
            self._rests[number] = _Rest(table.kind.resource, version, rows, self._clock.monotonic())
            while len(self._rests) > MAX_OPEN_LISTS:
                self._rests.popitem(last=False)
        return _page(_Place(rows, number, 0, version), limit)

    def go_on(self, table: Table, continue_: str, *, limit: int = 0) -> RawPage:
        """The next page. Gone when the list is no longer kept, BadRequest for what is no continue token."""
        number, offset = _token(continue_)
        with self._lock:
            rest = self._rests.get(number)
            if rest is not None and self._clock.monotonic() - rest.started > KEPT_SECONDS:
                del self._rests[number]
                rest = None
        if rest is None or rest.resource != table.kind.resource:
            raise Gone("the provided continue parameter is too old to display a consistent list; list again")
        return _page(_Place(rest.rows, number, offset, rest.version), limit or len(rest.rows))


class _Place(NamedTuple):
    rows: list[Row]
    number: int
    offset: int
    version: int


def matcher_of(table: Table, selector: Selector) -> Matcher:
    """Compile a selector for a kind. BadRequest when it can't be read or names an unknown field."""
    try:
        return parse_selector(selector.labels, selector.fields, table.kind.selectable)
    except BadSelector as error:
        raise BadRequest(str(error)) from error


def _page(place: _Place, limit: int) -> RawPage:
    end = place.offset + limit
    items = [row.raw for row in place.rows[place.offset : end]]
    remaining = max(0, len(place.rows) - end)
    token = base64.urlsafe_b64encode(orjson.dumps([place.number, end])).decode() if remaining else ""
    return RawPage(items, str(place.version), token, remaining)


def _token(continue_: str) -> tuple[int, int]:
    try:
        number, offset = orjson.loads(base64.urlsafe_b64decode(continue_))
        return int(number), max(0, int(offset))
    except (ValueError, TypeError) as error:
        raise BadRequest(f"continue key is not valid: {continue_}") from error
