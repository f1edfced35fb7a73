"""Prometheus metrics, under the names that controller-runtime made common."""

from __future__ import annotations

from typing import Protocol

from sluice.domain.tallies import Durations, Tally


class ControllerMetrics(Protocol):
    """What the frame counts."""

    def reconciled(self, controller: str, outcome: str, seconds: float) -> None:
        """One reconcile ended."""


class Totals:
    """Counts per controller and outcome, without a library: what tests and the start of the program use."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.seconds: dict[str, float] = {}

    def reconciled(self, controller: str, outcome: str, seconds: float) -> None:
        """One reconcile ended."""
        key = (controller, outcome)
        self.counts[key] = self.counts.get(key, 0) + 1
        self.seconds[controller] = self.seconds.get(controller, 0.0) + seconds


class SegmentCounts:
    """What became of the segments of this process."""

    def __init__(self) -> None:
        self.launched = Tally()
        self.refused = Tally()
        """By the error that a launch ended with, or the reason for which the place did not take it."""
        self.adopted = Tally()
        self.lost = Tally()
        """By reason."""
        self.ended = Tally()
        """Runs whose end was reported, by phase."""
        self.beginning = Durations()
        """From a launch to the first word of its runner."""
