"""From a rollout's status to what the ledger draws by: at most two versions take new runs."""

from __future__ import annotations

import pytest

from sluice.api.rollout import Candidate, RolloutStatus, VersionMark
from sluice.domain.routing.dealing import Split, Window
from sluice.domain.routing.hash import salt_of, takes
from sluice.domain.routing.split import StickyKey, in_force, live, split_for, window_for

STABLE = VersionMark(number=6, version="support-v6", digest="sha256:6")


def status(percent: str = "25", *, stopped: bool = False) -> RolloutStatus:
    candidate = Candidate(number=7, version="support-v7", digest="sha256:7", stopped=stopped)
    return RolloutStatus(stable=STABLE, candidate=candidate, percent=percent, revision=4)


def test_the_candidate_gets_its_percentage():
    assert split_for(status("12.25")) == Split(stable=6, candidate=7, hundredths=1225)


@pytest.mark.parametrize("found", [status(stopped=True), status("0"), RolloutStatus(stable=STABLE, percent="100")])
def test_a_candidate_that_is_stopped_or_at_zero_or_absent_gets_nothing(found):
    assert split_for(found) == Split(stable=6)


def test_without_versions_nothing_takes_runs():
    assert split_for(RolloutStatus()) == Split(stable=0)


def test_a_replay_names_its_version():
    assert split_for(status(), forced=3).forced == 3


def test_a_sticky_key_decides_instead_of_the_quota():
    for key in ("ana", "ben", None, {"id": 1}):
        wanted = takes(salt_of("uid-1", 7, "sha256:7"), key, 2500)
        assert split_for(status(), sticky=StickyKey("uid-1", key)).by_hash is wanted


def test_a_window_is_one_revision_in_one_environment():
    assert window_for(status(), "uid-1", "eu") == Window("uid-1", "eu", 4)


def test_the_stable_version_is_in_force_and_the_candidate_is_live():
    assert (in_force(status()).number, live(status()).number) == (6, 7)
    assert live(status(stopped=True)).number == 6
    assert live(RolloutStatus()) is None
