"""What becomes of segments is counted for metrics."""

from __future__ import annotations

import pytest

from sluice.api.reasons import Reason, StepReason
from sluice.domain.run.events import RUN_ENDED, Event
from sluice.ports.launcher import LaunchRefused, Segment
from tests.runtime.test_engine import Bench
from tests.runtime.test_remote_segments import SEGMENT
from tests.simulation.embedded import HandClock


@pytest.fixture
def bench(clock: HandClock) -> Bench:
    return Bench(clock, remote=True)


def test_a_segment_is_counted_from_its_launch_to_its_end(bench: Bench, clock: HandClock) -> None:
    bench.launch()
    clock.advance(seconds=2)
    bench.engine.began("uid", "main", 1)
    bench.tell(Event(RUN_ENDED, "", 0, 5, {"phase": "Failed"}), closes=True)

    counts = bench.engine.counts
    assert counts.launched.all() == [((), 1)]
    assert counts.ended.all() == [(("Failed",), 1)]
    assert dict(counts.beginning.buckets())["2.5"] == 1
    assert counts.beginning.total == 2


def test_a_segment_that_is_lost_is_counted_by_what_took_it(bench: Bench) -> None:
    bench.launch()
    bench.engine.lost("uid", "main", 1, "its node is gone", reason=StepReason.NODE_LOST)
    assert bench.engine.counts.lost.all() == [(("NodeLost",), 1)]


def test_a_segment_is_counted_as_adopted_only_if_it_was_there(bench: Bench) -> None:
    for there in (True, False):
        bench.launcher.adopts = there
        bench.engine.adopt(SEGMENT)
    assert bench.engine.counts.adopted.all() == [((), 1)]


@pytest.mark.parametrize(
    ("error", "label"),
    [(LaunchRefused(Reason.QUOTA_EXCEEDED, "no more pods"), "QuotaExceeded"), (OSError("no network"), "OSError")],
)
def test_a_launch_that_fails_is_counted_by_its_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, label: str
) -> None:
    def fail(_: Segment) -> None:
        raise error

    monkeypatch.setattr(bench.launcher, "launch", fail)
    with pytest.raises(type(error)):
        bench.launch()
    assert bench.engine.counts.refused.all() == [((label,), 1)]
    assert bench.engine.counts.launched.all() == []
