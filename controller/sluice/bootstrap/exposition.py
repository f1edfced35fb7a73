"""Prometheus metrics, collected when somebody scrapes: nothing is paid for them in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sluice import __version__

if TYPE_CHECKING:
    from sluice.adapters.sqlite.writer import Writer
    from sluice.bootstrap.system import System
    from sluice.domain.tallies import Tally


def counter(name: str, what: str, tally: Tally, *labels: str) -> CounterMetricFamily:
    """A family of what was tallied under these labels; without labels it begins with 0."""
    family = CounterMetricFamily(name, what, labels=labels)
    for values, total in tally.all() or ([] if labels else [((), 0)]):
        family.add_metric(values, total)
    return family


class SystemCollector:
    """Reads the counters that the parts keep anyway."""

    def __init__(self, system: System, writer: Writer | None) -> None:
        self._system = system
        self._writer = writer

    def collect(self) -> Iterable[Metric]:
        """All families; names as controller-runtime has them where it has one."""
        yield from self._reconciles()
        yield from self._queues()
        yield from self._objects()
        yield from self._segments()
        yield from self._writes()
        build = GaugeMetricFamily("sluice_build_info", "Always 1; the labels tell the release.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build

    def _reconciles(self) -> Iterable[Metric]:
        totals = self._system.metrics
        count = CounterMetricFamily(
            "controller_runtime_reconcile", "Reconciles by controller and result.", labels=["controller", "result"]
        )
        for (controller, outcome), total in sorted(totals.counts.items()):
            count.add_metric([controller, outcome], total)
        yield count
        seconds = CounterMetricFamily("sluice_reconcile_seconds", "Seconds spent in reconciles.", labels=["controller"])
        for controller, spent in sorted(totals.seconds.items()):
            seconds.add_metric([controller], spent)
        yield seconds

    def _queues(self) -> Iterable[Metric]:
        depth = GaugeMetricFamily("workqueue_depth", "Keys that are ready.", labels=["name"])
        adds = CounterMetricFamily("workqueue_adds", "Keys that were added.", labels=["name"])
        retries = CounterMetricFamily("workqueue_retries", "Keys that came back after an error.", labels=["name"])
        for controller in self._system.controllers:
            queue = controller.queue
            depth.add_metric([queue.name], queue.depth)
            adds.add_metric([queue.name], queue.counters.added)
            retries.add_metric([queue.name], queue.counters.retried)
        yield from (depth, adds, retries)

    def _objects(self) -> Iterable[Metric]:
        objects = GaugeMetricFamily("sluice_objects", "Objects by kind.", labels=["kind"])
        for cache in self._system.caches.all():
            objects.add_metric([cache.kind.kind], len(cache))
        yield objects
        yield GaugeMetricFamily("sluice_runs_in_flight", "Runs with a segment here.", self._system.engine.in_flight)

    def _segments(self) -> Iterable[Metric]:
        """Nothing is counted twice: a segment that is launched again is another one."""
        counts = self._system.engine.counts
        yield counter("sluice_segments_launched", "Segments that were launched.", counts.launched)
        yield counter("sluice_segments_adopted", "Segments of an earlier controller.", counts.adopted)
        yield counter("sluice_segments_refused", "Launches that failed.", counts.refused, "reason")
        yield counter("sluice_segments_lost", "Segments whose runner was lost.", counts.lost, "reason")
        yield counter("sluice_runs_ended", "Runs whose end a runner reported.", counts.ended, "phase")
        beginning = HistogramMetricFamily(
            "sluice_segment_beginning_seconds", "From a launch on a cluster to the first word of its runner."
        )
        beginning.add_metric([], counts.beginning.buckets(), counts.beginning.total)
        yield beginning

    def _writes(self) -> Iterable[Metric]:
        if self._writer is None:
            return
        counters = self._writer.counters
        yield CounterMetricFamily("sluice_store_commits", "Commits, each with one full sync.", counters.commits)
        yield CounterMetricFamily("sluice_store_operations", "Writes that shared these commits.", counters.operations)
        yield CounterMetricFamily(
            "sluice_store_failed_commits", "Commits that failed and wrote nothing.", counters.failed_commits
        )
        yield CounterMetricFamily("sluice_store_commit_seconds", "Seconds spent in commits.", counters.committing)
        yield CounterMetricFamily("sluice_store_operation_seconds", "Seconds spent in writes.", counters.operating)


def registry_of(system: System, writer: Writer | None, *others: Collector) -> CollectorRegistry:
    """A registry with everything there is to tell; ``writer`` is that of an SQLite file, where there is one."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for collector in (SystemCollector(system, writer), *others):
        registry.register(collector)
    return registry
