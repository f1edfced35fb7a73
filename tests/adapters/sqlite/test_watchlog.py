"""The watch log: bounded, and honest about what it no longer has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.adapters.sqlite.rows import Change, Facts, Row
from sluice.adapters.sqlite.watchlog import WatchLog
from sluice.ports.errors import Gone

FACTS = Facts("uid", {}, (), (), False)


def change(version: int, size: int = 10) -> Change:
    return Change(version, None, Row(("ns", "a"), 1, version, b"x" * size, FACTS))


def test_a_log_gives_what_came_after_a_version() -> None:
    log = WatchLog(floor=10)
    for version in (11, 14, 15):
        log.append(change(version))
    assert [one.version for one in log.since(log.position_after(12, 15))] == [14, 15]
    assert [one.version for one in log.since(log.position_after(10, 15))] == [11, 14, 15]
    assert log.since(log.position_after(15, 15)) == []


@pytest.mark.parametrize("version", [9, 16])
def test_versions_before_the_log_and_after_the_newest_are_gone(version: int) -> None:
    log = WatchLog(floor=10)
    log.append(change(15))
    with pytest.raises(Gone):
        log.position_after(version, 15)


def test_a_reader_that_falls_behind_is_told() -> None:
    log = WatchLog(floor=0, max_events=100)
    position = log.position_after(0, 0)
    for version in range(1, 102):
        log.append(change(version))
    with pytest.raises(Gone, match="fell behind"):
        log.since(position)


def test_bytes_bound_the_log_too() -> None:
    log = WatchLog(floor=0, max_bytes=1000)
    for version in range(1, 100):
        log.append(change(version, size=100))
    assert sum(len(one.after.raw) for one in log.since(log.position_after(95, 99)) if one.after) <= 1000
    with pytest.raises(Gone):
        log.position_after(50, 99)


@given(st.integers(1, 20), st.lists(st.integers(1, 3), max_size=60))
def test_a_reader_sees_everything_once_or_is_told_it_is_gone(limit: int, steps: list[int]) -> None:
    log = WatchLog(floor=0, max_events=limit)
    version, position, seen = 0, 0, []
    for step in steps:
        version += step
        log.append(change(version))
        if step == 1:
            seen += [one.version for one in log.since(position)] if position >= log.end - limit else []
            position = log.end
    assert seen == sorted(set(seen))
    assert log.position_after(version, version) == log.end
