"""Reading from the store as encoded bytes, on the event loop where that is quick and on a thread where it is not."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar, runtime_checkable

import orjson

from sluice.api.kinds import KindInfo
from sluice.ports.store import EVERYTHING, Page, Ref, Selector, Store

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS = 32
"""Requests that may wait for the store at the same time; further ones queue."""


class Threads:
    """Where blocking calls run, so that the event loop never does."""

    def __init__(self, limit: int = MAX_THREADS) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="http")

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of ``call``, made on a thread, where the request's context is known too."""
        bound = partial(contextvars.copy_context().run, call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, bound)

    def close(self) -> None:
        """Take no more calls; those that run are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page of a list whose items are encoded."""

    items: Sequence[bytes]
    resource_version: str
    continue_: str = ""
    remaining: int = 0


class EncodedPage(Protocol):
    """What a store's ``list_raw`` answers."""

    @property
    def items(self) -> Sequence[bytes]:
        """The objects, encoded, ordered by namespace and name."""

    @property
    def resource_version(self) -> str:
        """The version that the list was taken at."""

    @property
    def continue_(self) -> str:
        """Where the next page begins; empty on the last one."""

    @property
    def remaining(self) -> int:
        """How many objects come after this page."""


@runtime_checkable
class RawStore(Protocol):
    """A store that keeps its objects encoded in memory: both calls are quick and never block."""

    def get_raw(self, ref: Ref) -> bytes:
        """The newest object, encoded. NotFound if there is none."""

    def list_raw(
        self, kind: KindInfo, namespace: str, selector: Selector, *, limit: int, continue_: str
    ) -> EncodedPage:
        """As ``Store.list``, its items encoded."""


class Reader:
    """Reads one store."""

    def __init__(self, store: Store, threads: Threads) -> None:
        self._store = store
        self._threads = threads
        self._raw: RawStore | None = store if isinstance(store, RawStore) else None

    async def get(self, ref: Ref) -> bytes:
        """The object, encoded."""
        if self._raw is not None:
            return self._raw.get_raw(ref)
        return orjson.dumps(await self._threads.run(self._store.get, ref))

    async def page(
        self, kind: KindInfo, namespace: str, selector: Selector, *, limit: int = 0, continue_: str = ""
    ) -> EncodedPage:
        """A page of the list, encoded. Selecting looks at every object, so it is left to a thread."""
        if self._raw is not None and selector != EVERYTHING:
            raw = self._raw
            return await self._threads.run(raw.list_raw, kind, namespace, selector, limit=limit, continue_=continue_)
        if self._raw is not None:
            return self._raw.list_raw(kind, namespace, selector, limit=limit, continue_=continue_)
        return await self._threads.run(self._encoded, kind, namespace, selector, limit=limit, continue_=continue_)

    def _encoded(self, *args: Any, **kwargs: Any) -> RawPage:
        page: Page = self._store.list(*args, **kwargs)
        items = [orjson.dumps(item) for item in page.items]
        return RawPage(items, page.resource_version, page.continue_, page.remaining)
