"""Nothing is lost and nothing recorded twice, whatever fails: 200 seeded scenarios on a real control plane.

Controllers, runners, PostgreSQL, API server, etcd and controller manager are real processes; only the kubelet is played.
Each seed is in the name of its test; SLUICE_SEED=<seed> plays the sample from there.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.adapters.postgres.server import Server
from tests.cluster.control_plane import Plane
from tests.cluster.faults.invariants import check
from tests.cluster.faults.scenario import play, scenario
from tests.cluster.faults.site import Ground, site

pytestmark = pytest.mark.cluster

SAMPLE = 3
SEEDS = 200
SEED = int(os.environ.get("SLUICE_SEED", "1"))


def check_scenario(seed: int, plane: Plane, postgres: Server, folder: Path) -> None:
    story = scenario(seed)
    print(story)
    ledger = postgres if story.postgres else None
    with site(Ground(plane), folder, random.Random(-seed), postgres=ledger, full_disk=story.full_disk) as made:
        try:
            play(story, made)
            check(story, made)
        finally:
            print("\n".join(made.said))
            print({replica.name: replica.exits for replica in made.replicas}, sorted(set(made.user.problems))[:10])


@pytest.mark.parametrize("seed", range(SEED, SEED + SAMPLE))
def test_nothing_is_lost_in_a_sample_of_faults(seed: int, plane: Plane, postgres: Server, tmp_path: Path) -> None:
    check_scenario(seed, plane, postgres, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_nothing_is_lost_in_any_of_200_scenarios(seed: int, plane: Plane, postgres: Server, tmp_path: Path) -> None:
    check_scenario(seed, plane, postgres, tmp_path)
