"""What is kept of an object takes the memory that it is long: 10,000 objects are as many bytes as they say."""

from __future__ import annotations

import tracemalloc

import orjson
import pytest

from sluice.domain.objects.encoding import encoded
from sluice.ports.store import Obj

KEPT = 200
OVERHEAD_BYTES = 64


@pytest.mark.parametrize("entries", [1, 30, 300])
def test_what_is_kept_of_an_object_takes_hardly_more_memory_than_it_is_long(entries: int) -> None:
    obj: Obj = {"metadata": {"name": "one"}, "data": {f"entry-{number}": "x" * 20 for number in range(entries)}}
    kept: list[bytes] = []
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept.extend(encoded(obj) for _ in range(KEPT))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / KEPT < len(kept[0]) + OVERHEAD_BYTES
    assert orjson.loads(kept[0]) == obj
