"""What a controller on a cluster tells Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from sluice import __version__
from sluice.adapters.kubernetes.launching.seats import Claim, Seat
from sluice.api.environment import Launch
from sluice.bootstrap.cluster_metrics import ClusterParts
from sluice.domain.launching.placement import Placement, RemoteCluster
from sluice.ports.launcher import LaunchRefused
from tests.adapters.kubernetes.test_desk import NAME, PLACE, SEGMENT
from tests.bootstrap.exposed import ENDS, exposed, parts
from tests.simulation.embedded import Simulation


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    made = Simulation()
    yield made
    made.close()


@pytest.fixture
def made(simulation: Simulation) -> ClusterParts:
    return parts(simulation)


def samples(simulation: Simulation, made: ClusterParts) -> dict[str, float]:
    lines = generate_latest(exposed(simulation, made)).decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


@pytest.mark.parametrize("leads", [True, False])
def test_the_replica_that_leads_says_so(simulation: Simulation, leads: bool) -> None:
    told = samples(simulation, parts(simulation, leads=leads))
    assert told['leader_election_master_status{name="sluice-controller"}'] == leads


def test_requests_are_told_by_method_and_answer(simulation: Simulation, made: ClusterParts) -> None:
    made.requests.answered("POST", "201", 0.02)
    made.requests.paced(1.5)
    told = samples(simulation, made)
    assert told['rest_client_requests_total{code="201",method="POST"}'] == 1
    assert told['rest_client_request_duration_seconds_bucket{le="0.025",verb="POST"}'] == 1
    assert told['rest_client_request_duration_seconds_bucket{le="0.005",verb="POST"}'] == 0
    assert told["sluice_api_paced_seconds_total"] == 1.5


def test_each_watch_is_told(simulation: Simulation, made: ClusterParts) -> None:
    informer = made.informers.informers[0]
    informer.begun, informer.events = 2, 7
    told = samples(simulation, made)
    assert told['sluice_watch_starts_total{kind="Workflow"}'] == 2
    assert told['sluice_watch_events_total{kind="Workflow"}'] == 7
    assert told['sluice_watch_starts_total{kind="Pod"}'] == 0


class Connected:
    """A connection."""

    def send(self, *messages: object) -> None:
        """Nobody hears it."""

    def close(self, code: int, reason: str) -> None:
        """Nobody minds."""


@pytest.mark.parametrize(
    ("holder", "link", "state"),
    [("", None, "awaited"), ("pod-1", Connected(), "connected"), ("pod-1", None, "away")],
)
def test_segments_are_told_by_what_is_heard_of_their_runner(
    simulation: Simulation, made: ClusterParts, holder: str, link: Connected | None, state: str
) -> None:
    made.seats.take(Seat(SEGMENT, PLACE, NAME, launched=0.0, heard=0.0, holder=holder, link=link))
    told = samples(simulation, made)
    assert {each: told[f'sluice_segments{{runner="{each}"}}'] for each in ("awaited", "connected", "away")} == {
        **dict.fromkeys(("awaited", "connected", "away"), 0.0),
        state: 1.0,
    }


def test_runners_are_told_by_the_answer_that_they_got(simulation: Simulation, made: ClusterParts) -> None:
    made.desk.admit(Claim("r", "main", 1), "token")
    assert samples(simulation, made)['sluice_runner_answers_total{code="421"}'] == 1


def test_release_certificate_and_process_are_told(simulation: Simulation, made: ClusterParts) -> None:
    told = samples(simulation, made)
    assert told[f'sluice_build_info{{version="{__version__}"}}'] == 1
    assert told["sluice_certificate_ends_timestamp_seconds"] == ENDS.timestamp()
    assert told["process_resident_memory_bytes"] > 0


def test_what_has_not_happened_yet_is_told_as_zero_where_it_has_no_labels(
    simulation: Simulation, made: ClusterParts
) -> None:
    told = samples(simulation, made)
    assert told["sluice_segments_launched_total"] == told["sluice_segments_adopted_total"] == 0


def test_each_other_cluster_says_whether_runs_can_be_launched_there(simulation: Simulation, made: ClusterParts) -> None:
    cluster = RemoteCluster("eu-cluster")
    with pytest.raises(LaunchRefused):
        made.clusters.usable(Placement(Launch.JOB, "default", "default", "eu", cluster=cluster))
    assert samples(simulation, made)['sluice_cluster_up{context="",namespace="default",secret="eu-cluster"}'] == 0
