"""Whatever single write the world stops after, the end is the same (the sample; all points with ``-m full``)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.simulation.acts import random_script, the_main_job
from tests.simulation.crashes import go_on, play, wrecks_of

SAMPLE_EVERY = 61
RANDOM_SAMPLE = 12
BLOCKS = 20
SEED = int(os.environ.get("SLUICE_SEED", "1"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    return play(the_main_job(), tmp_path_factory.mktemp("undisturbed") / "world.db")


def test_undisturbed_the_counts_are_exact(undisturbed) -> None:  # type: ignore[no-untyped-def]
    runs = undisturbed.end["runs"]

    assert runs[("quarter", "Succeeded", "v2", "sandbox")] == 5
    assert runs[("quarter", "Succeeded", "v1", "sandbox")] == 15
    assert runs[("production", "Succeeded", "v2", "production")] == 3
    assert runs[("stopped", "Succeeded", "v1", "sandbox")] == 12
    assert undisturbed.end["open"] == 0
    assert undisturbed.restarts == 0


def check_stops(points: range, undisturbed, folder: Path) -> None:  # type: ignore[no-untyped-def]
    for point in points:
        played = play(the_main_job(), folder / f"{point}.db", {point})
        for file in folder.glob(f"{point}.db*"):
            file.unlink()
        # How writes share commits is a matter of timing, so one playing may have a few points less than another.
        assert played.restarts == 1 or played.points < point, f"nothing stopped at point {point}"
        assert played.end == undisturbed.end, f"the end differs when the world stops at point {point}"


def test_after_a_sample_of_the_writes_the_end_is_the_same(undisturbed, folder: Path) -> None:  # type: ignore[no-untyped-def]
    check_stops(range(1, undisturbed.points + 1, SAMPLE_EVERY), undisturbed, folder)


@pytest.mark.full
@pytest.mark.parametrize("block", range(BLOCKS))
def test_after_every_single_write_the_end_is_the_same(undisturbed, block: int, folder: Path) -> None:  # type: ignore[no-untyped-def]
    wrecks = wrecks_of(the_main_job(), folder / "world.db", lambda point: point % BLOCKS == block)
    assert len(wrecks) > 0.97 * undisturbed.points / BLOCKS - 1
    for point, wreck in wrecks.items():
        assert go_on(the_main_job(), wreck).end == undisturbed.end, f"the end differs when the world stops at {point}"
        wreck.discard()


def check_random(seed: int, folder: Path) -> None:
    """Replay a failing one with ``SLUICE_SEED=<seed>``."""
    calm = play(random_script(seed), folder / f"calm-{seed}.db")
    dice = random.Random(-seed)
    stops = {dice.randint(1, calm.points) for _ in range(dice.randint(1, 4))}
    stormy = play(random_script(seed), folder / f"stormy-{seed}.db", stops)
    assert stormy.end == calm.end, f"seed {seed}, world stopped at points {sorted(stops)}"


@pytest.mark.parametrize("seed", range(SEED, SEED + RANDOM_SAMPLE))
def test_a_random_story_ends_the_same_however_often_the_world_stops(seed: int, folder: Path) -> None:
    check_random(seed, folder)


@pytest.mark.full
@pytest.mark.parametrize("block", range(100))
def test_a_thousand_random_stories_end_the_same(block: int, folder: Path) -> None:
    for seed in range(block * 10 + 1, block * 10 + 11):
        check_random(seed, folder)
