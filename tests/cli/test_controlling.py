"""What `sluice controller` makes of its options."""

from __future__ import annotations

import datetime as dt

import pytest

from sluice import bootstrap
from sluice.manifests.controller import ENDED_RUNS
from sluice.reconcilers.runs.retention import Keep
from tests.cli.place import call


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[bootstrap.Options]:
    """The options that a controller was started with, which none was."""
    given: list[bootstrap.Options] = []

    def control(options: bootstrap.Options) -> int:
        given.append(options)
        return 0

    monkeypatch.setattr(bootstrap, "control", control)
    return given


def test_ended_runs_stay_as_long_as_it_is_told(told: list[bootstrap.Options], monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("controller").exit_code == 0
    for name, value in ENDED_RUNS.items():
        monkeypatch.setenv(name, value)
    assert call("controller").exit_code == 0
    assert call("controller", "--keep-for=1d12h", "--keep-succeeded=3", "--keep-failed=0").exit_code == 0

    said = Keep(age=dt.timedelta(hours=36), succeeded=3, others=0, per_namespace=2000)
    assert [options.keep for options in told] == [Keep(), Keep(), said]


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--keep-for=week", "--keep-for (SLUICE_KEEP_FOR): 'week' is no duration; write numbers with a unit of ms, s,"),
        ("--keep-in-namespace=1000000", "'--keep-in-namespace' (env var: 'SLUICE_KEEP_IN_NAMESPACE'): "),
        ("--keep-failed=-1", "'--keep-failed' (env var: 'SLUICE_KEEP_FAILED'): "),
    ],
)
def test_what_is_no_answer_is_refused_by_name(option: str, why: str, told: list[bootstrap.Options]) -> None:
    refused = call("controller", option)
    assert (refused.exit_code, told) == (2, [])
    assert why in refused.stderr
