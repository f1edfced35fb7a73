"""What nobody owns is deleted when ledger and store say so, and left alone in any doubt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.api.environment import Launch
from sluice.domain.launching.names import LAUNCHED_FROM_LABEL, RUN_ANNOTATION, RUN_UID_LABEL, UNIT_LABEL
from sluice.domain.launching.orphans import GRACE_S
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import pod_of
from sluice.domain.launching.step_pods import KEPT_S, unit_of
from sluice.domain.timestamps import stamp
from sluice.ports.errors import Conflict, Fenced, Forbidden, PortError, Unavailable
from sluice.ports.launcher import RunIdentity
from sluice.ports.store import Obj
from tests.adapters.kubernetes.elsewhere.sweeping import Bench, workload
from tests.adapters.sqlite.stores import Opened
from tests.contracts.ledger.builders import admission, finish
from tests.domain.launching.builders import INSTALLATION, segment


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Opened() as opened:
        made = Bench(opened)
        made.environment("far", cluster={"kubeconfigSecret": "far", "runnerUrl": "https://x:1"})
        yield made


def test_a_job_whose_run_neither_ledger_nor_store_knows_is_deleted_on_every_cluster(bench: Bench) -> None:
    lost = workload("lost")
    bench.home.there, bench.far.there = [lost], [lost]
    assert bench.sweep() == [lost["metadata"]["name"]] * 2


def test_a_job_of_a_run_that_goes_on_is_kept(bench: Bench) -> None:
    bench.ledger.admit(admission("known"))
    bench.far.there = [workload("known")]
    assert bench.sweep() == []


def test_a_job_of_a_run_that_only_the_store_knows_is_kept(bench: Bench) -> None:
    """The ledger may have been restored from an older backup: the run is let in again, and adopted."""
    bench.far.there = [workload(bench.run())]
    assert bench.sweep() == []


def test_a_run_of_the_same_name_is_another_run(bench: Bench) -> None:
    bench.run()
    bench.far.there = [workload("lost")]
    assert len(bench.sweep()) == 1


def test_a_job_of_an_older_epoch_is_deleted_and_that_of_the_newest_is_not(bench: Bench) -> None:
    bench.ledger.admit(admission("known"))
    assert bench.ledger.raise_epoch("known", "main") == 2
    bench.far.there = [workload("known", epoch=1), workload("known", epoch=2)]
    assert bench.sweep() == [workload("known", epoch=1)["metadata"]["name"]]


def test_a_job_that_outlives_its_run_is_deleted_after_a_while(bench: Bench) -> None:
    bench.ledger.admit(admission("known"))
    finish(bench.ledger, "known")
    bench.far.there = [workload("known")]
    assert bench.sweep() == []
    bench.advance(GRACE_S + 1)
    assert len(bench.sweep()) == 1


def test_a_job_that_ended_is_left_to_its_cluster(bench: Bench) -> None:
    bench.far.there = [workload("lost", conditions=[{"type": "Complete", "status": "True"}])]
    assert bench.sweep() == []


def test_a_pod_without_a_job_is_deleted_its_time_after_its_end(bench: Bench) -> None:
    bench.environment(runner={"ttlSecondsAfterFinished": 60})
    finished = {"containerStatuses": [{"state": {"terminated": {"finishedAt": stamp(bench.opened.clock.now())}}}]}
    bench.far.there = [workload("lost", launch=Launch.POD, phase="Succeeded", **finished)]
    assert bench.sweep() == []
    bench.advance(61)
    assert len(bench.sweep()) == 1


def test_a_pod_at_home_is_its_run_s_until_its_time_after_its_end_is_over(bench: Bench) -> None:
    bench.environment(runner={"ttlSecondsAfterFinished": 60})
    run = RunIdentity("lost", "wfr_x", "default", "r", "greet", "production", 1)
    pod = pod_of(segment(run), Placement(Launch.POD, "default", "default", "production"), INSTALLATION)
    pod["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    bench.home.there = [pod | {"status": {"phase": "Running"}}]
    assert bench.sweep() == []

    finished = {"containerStatuses": [{"state": {"terminated": {"finishedAt": stamp(bench.opened.clock.now())}}}]}
    bench.home.there = [pod | {"status": {"phase": "Succeeded", **finished}}]
    assert bench.sweep() == []
    bench.advance(61)
    assert bench.sweep() == [pod["metadata"]["name"]]


@pytest.mark.parametrize("spoil", ["labels", "annotation", "cluster"])
def test_what_can_not_be_told_apart_is_kept(bench: Bench, spoil: str) -> None:
    lost = workload("lost")
    if spoil == "labels":
        del lost["metadata"]["labels"][RUN_UID_LABEL]
    elif spoil == "annotation":
        del lost["metadata"]["annotations"][RUN_ANNOTATION]
    else:
        lost["metadata"]["labels"][LAUNCHED_FROM_LABEL] = "another cluster"
    bench.far.there = [lost]
    assert bench.sweep() == []


def test_nothing_is_deleted_while_the_store_can_not_be_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.far.there = [workload("lost")]
    for error in (Unavailable("away"), Forbidden("no")):

        def fails(_: Any, error: PortError = error) -> Obj:
            raise error

        monkeypatch.setattr(bench.made, "_store", type("Away", (), {"get": staticmethod(fails)})())
        assert bench.sweep() == []


def test_a_cluster_that_is_away_is_for_the_next_time_and_the_others_are_swept(bench: Bench) -> None:
    bench.home.error = Unavailable("away")
    bench.far.there = [workload("lost")]
    assert len(bench.sweep()) == 1


def test_what_moved_since_it_was_listed_is_for_the_next_time(bench: Bench) -> None:
    bench.far.there, bench.far.refuses = [workload("lost")], Conflict("moved")
    assert bench.sweep() == []


def test_who_does_not_lead_any_more_stops(bench: Bench) -> None:
    bench.far.there, bench.far.refuses = [workload("lost")], Fenced("not the leader any more")
    with pytest.raises(Fenced):
        bench.sweep()


def test_a_pod_of_a_step_stays_until_how_it_ended_must_have_been_recorded(bench: Bench) -> None:
    bench.environment(runner={"ttlSecondsAfterFinished": 60})
    finished = {"terminated": {"exitCode": 0, "finishedAt": stamp(bench.opened.clock.now())}}
    pod = workload("known", launch=Launch.POD, phase="Succeeded", containerStatuses=[{"state": finished}])
    pod["metadata"]["labels"][UNIT_LABEL] = unit_of("deploy", 1)
    bench.far.there = [pod]
    bench.advance(KEPT_S)
    assert bench.sweep() == []
    bench.advance(1)
    assert bench.sweep() == [pod["metadata"]["name"]]
