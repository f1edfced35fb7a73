"""Who waits for an environment asks again once it is fit, and nobody else does."""

from __future__ import annotations

from sluice.runtime.held_up import HeldUp
from sluice.runtime.queue import Key


def test_those_that_wait_for_an_environment_are_looked_at_once_when_it_is_fit() -> None:
    queued: list[tuple[Key, float]] = []
    held_up = HeldUp(lambda key, delay: queued.append((key, delay)))
    for environment, run in (("far", "a"), ("far", "b"), ("far", "a"), ("near", "c")):
        held_up.add("default", environment=environment, run=run)
    held_up.add("other", environment="far", run="d")

    held_up.release(Key("default", "far"))
    held_up.release(Key("default", "far"))
    assert sorted(queued) == [(Key("default", "a"), 0.0), (Key("default", "b"), 0.0)]
    held_up.release(Key("default", "unknown"))
    held_up.release(Key("other", "far"))
    assert queued[2:] == [(Key("other", "d"), 0.0)]
