"""From the plan of a rollout to the version of each run: exact in every environment, at every moment (R020, R038, R039)."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.routing.quota import is_candidate
from sluice.domain.routing.split import split_for, window_for
from tests.domain.rollouts.builders import Stage, steps, version


class Counting:
    """Draws as a ledger does: one count for each window."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.drawn: Counter[str] = Counter()

    def draw(self, environment: str) -> int:
        split = split_for(self.stage.status)
        if not split.candidate:
            return split.stable
        window = window_for(self.stage.status, "uid-1", environment).id
        self.drawn[window] += 1
        return split.candidate if is_candidate(self.drawn[window], split.hundredths) else split.stable

    def versions(self, environment: str, runs: int) -> Counter[int]:
        return Counter(self.draw(environment) for _ in range(runs))


def two_versions(spec: dict) -> Stage:
    stage = Stage(spec)
    stage.publish(version(1))
    stage.publish(version(2))
    return stage


def test_half_of_the_runs_of_each_environment_go_to_the_new_version():
    counting = Counting(two_versions({"percent": 50}))
    assert counting.versions("sandbox", 20) == {1: 10, 2: 10}
    assert counting.versions("production", 7) == {1: 4, 2: 3}


def test_a_stop_takes_effect_with_the_next_run():
    stage = two_versions({"percent": 99})
    counting = Counting(stage)
    counting.versions("production", 50)
    stage.ask(stops={"v2": {}})
    assert counting.versions("production", 100) == {1: 100}


def test_a_walk_counts_every_step_anew_and_ends_with_no_stray_run():
    stage = two_versions(
        steps(
            {"percent": 10, "pause": {"duration": "1h"}}, {"percent": 50, "pause": {"duration": "1h"}}, {"percent": 100}
        )
    )
    counting = Counting(stage)
    assert counting.versions("production", 25) == {1: 23, 2: 2}
    stage.after(hours=1)
    assert counting.versions("production", 25) == {1: 13, 2: 12}
    stage.after(hours=1)
    assert counting.versions("production", 25) == {2: 25}


def test_a_hold_in_the_middle_of_a_window_does_not_restart_its_count():
    stage = two_versions({"percent": 10})
    counting = Counting(stage)
    first = counting.versions("production", 9)
    stage.ask(holds={"v2": {}})
    assert first + counting.versions("production", 1) == {1: 9, 2: 1}


@given(st.integers(0, 10_000), st.lists(st.sampled_from(["eu", "us"]), max_size=200))
def test_any_percentage_is_exact_for_each_environment_whatever_the_order(hundredths: int, order: list[str]):
    stage = two_versions({"percent": f"{hundredths // 100}.{hundredths % 100:02d}"})
    counting = Counting(stage)
    seen = Counter((environment, counting.draw(environment)) for environment in order)
    for environment, runs in Counter(order).items():
        assert seen[environment, 2] == runs * hundredths // 10_000
