"""The Containers port: runs attempts of steps that have an image of their own, each in a pod of its own.

Nothing in such a pod reports, and nothing of it is kept here: what is there is looked at, by names that are worked out. So
whoever leads next sees the same, and records the end that nobody has recorded yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sluice.domain.launching.step_endings import Sight
from sluice.domain.launching.step_pods import StepPod

Changed = Callable[[str, str], None]
"""Told the namespace and name of a run of which an attempt has moved; from any thread, must be quick."""


class Containers(Protocol):
    """Launches, looks, ends. All methods may ask the cluster, and raise LaunchRefused and Unavailable as a Launcher does."""

    def launch(self, step: StepPod) -> None:
        """Make its Job, or pod. A repeat is ignored."""

    def look(self, step: StepPod) -> Sight:
        """How it stands. Once it was launched or looked at, its changes are told of until it is let go."""

    def log(self, step: StepPod) -> str:
        """The last 64 KiB of what its container printed; where that can't be read, what its node kept of it."""

    def stop(self, step: StepPod) -> None:
        """Delete it, whatever it does, and let go of it. What is not there is ignored."""

    def release(self, step: StepPod) -> None:
        """Let go: its end is recorded. What is left of it is deleted after the environment's ``ttlSecondsAfterFinished``."""

    def kill(self, run_uid: str) -> None:
        """Delete all that is known of a run here, as far as the cluster can be reached."""
