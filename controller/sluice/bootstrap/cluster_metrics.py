"""Prometheus metrics of a controller on a cluster: who leads, what is asked of the API server, what becomes of runners."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from sluice.bootstrap.exposition import counter

if TYPE_CHECKING:
    from sluice.adapters.kubernetes.launching.desk import RunnerDesk
    from sluice.adapters.kubernetes.launching.remote import Clusters
    from sluice.adapters.kubernetes.launching.seats import Seats
    from sluice.adapters.kubernetes.launching.watcher import PodWatcher
    from sluice.adapters.kubernetes.requests import Requests
    from sluice.runtime.informers import Informers


@dataclass(frozen=True, slots=True)
class ClusterParts:
    """What is counted of a replica. ``lease`` is the name under which it stands for election; ``ends`` says when the
    certificate that it shows is over."""

    lease: str
    is_leading: Callable[[], bool]
    ends: Callable[[], dt.datetime]
    requests: Requests
    informers: Informers
    pods: PodWatcher
    seats: Seats
    desk: RunnerDesk
    clusters: Clusters


class ClusterCollector:
    """Reads the counters that the parts keep anyway."""

    def __init__(self, parts: ClusterParts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        """All families; names as client-go and controller-runtime have them where they have one."""
        yield from self._leadership()
        yield from self._requests()
        yield from self._watches()
        yield from self._runners()
        yield from self._clusters()

    def _leadership(self) -> Iterable[Metric]:
        leads = GaugeMetricFamily("leader_election_master_status", "1 in the replica that leads.", labels=["name"])
        leads.add_metric([self._parts.lease], float(self._parts.is_leading()))
        yield leads
        yield GaugeMetricFamily(
            "sluice_certificate_ends_timestamp_seconds",
            "When the certificate that runners are shown is over; it is renewed a month before.",
            self._parts.ends().timestamp(),
        )

    def _requests(self) -> Iterable[Metric]:
        requests = self._parts.requests
        what = "Requests to the API server by method and answer."
        yield counter("rest_client_requests", what, requests.counts, "method", "code")
        seconds = HistogramMetricFamily(
            "rest_client_request_duration_seconds", "How long requests took; watches until they began.", labels=["verb"]
        )
        for verb, durations in requests.durations():
            seconds.add_metric([verb], durations.buckets(), durations.total)
        yield seconds
        yield CounterMetricFamily(
            "sluice_api_paced_seconds",
            "Seconds for which requests were held back by qps and burst.",
            requests.paced_seconds,
        )

    def _watches(self) -> Iterable[Metric]:
        begun: Counter[str] = Counter(Pod=self._parts.pods.begun)
        events: Counter[str] = Counter()
        for informer in self._parts.informers.informers:
            begun[informer.kind.kind] += informer.begun
            events[informer.kind.kind] += informer.events
        for name, what, totals in (
            ("sluice_watch_starts", "Watches that were begun with all there is.", begun),
            ("sluice_watch_events", "Changes that watches told of.", events),
        ):
            family = CounterMetricFamily(name, what, labels=["kind"])
            for kind, total in sorted(totals.items()):
                family.add_metric([kind], total)
            yield family

    def _runners(self) -> Iterable[Metric]:
        states = Counter(connected=0, away=0, awaited=0)
        for seat in self._parts.seats.all():
            states["connected" if seat.link is not None else "away" if seat.holder else "awaited"] += 1
        segments = GaugeMetricFamily(
            "sluice_segments", "Segments that were launched, by their runner.", labels=["runner"]
        )
        for state, total in states.items():
            segments.add_metric([state], total)
        yield segments
        what = "Answers to runners that came; 101 let them in."
        yield counter("sluice_runner_answers", what, self._parts.desk.answers, "code")

    def _clusters(self) -> Iterable[Metric]:
        up = GaugeMetricFamily(
            "sluice_cluster_up",
            "1 where runs can be launched on another cluster, 0 where it is away or its kubeconfig can't be used.",
            labels=["namespace", "secret", "context"],
        )
        for key, stands in self._parts.clusters.standing():
            up.add_metric([key.workspace, key.secret, key.context], float(stands))
        yield up
