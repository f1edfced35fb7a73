"""What is known of each attempt that runs in a pod of its own and is followed: its Job, and its pod as it was seen last."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import Any, Final

from sluice.adapters.kubernetes.launching.seats import Claim
from sluice.api.reasons import Reason
from sluice.domain.launching.step_endings import AttemptState, Sight, gone, sight_of
from sluice.domain.launching.step_pods import StepPod
from sluice.ports.store import Obj

LOOK_S: Final = 5.0
"""After so many seconds it is asked why a Job has no pod, then after twice as long each time, five minutes at most."""


class Attempt:
    """One of them. ``since`` is when it was launched or taken up, monotonic seconds; ``made`` microseconds, UTC.

    ``looked``: how often it was asked why there is no pod. ``vanished`` says what became of Job or pod, once it is not there.
    ``told`` is how it stood when its run was had looked at last.
    """

    def __init__(self, step: StepPod, since: float, *, made: int) -> None:
        self.step = step
        self.made = made
        self.uid = ""
        self.looked = 0
        self.vanished = ""
        self.hindrance: tuple[Reason, str] | None = None
        self.told: Sight | None = None
        self._since = since
        self._pod: Obj | None = None

    @property
    def claim(self) -> Claim:
        """Which attempt it is."""
        return claim_of(self.step)

    @property
    def pod(self) -> Obj | None:
        """Its pod as it was seen last, without what is of no use here."""
        return self._pod

    @pod.setter
    def pod(self, pod: Obj) -> None:
        self._pod = _kept(pod)

    def belongs_to(self, uid: str) -> None:
        """Its Job, or its pod where that has no Job, is the one with this uid. A pod of another one is not its."""
        self.uid = uid
        if self._pod is not None and not self.has(self._pod):
            self._pod, self.vanished = None, ""

    def has(self, pod: Obj) -> bool:
        """Whether a pod of the right name is its own, as far as that is known by now."""
        metadata = pod["metadata"]
        owners = {owner.get("uid") for owner in metadata.get("ownerReferences") or ()}
        return not self.uid or self.uid in owners | {metadata.get("uid")}

    def is_missing_pod(self, now: float) -> bool:
        """Whether it is time to ask (again) why there is none; ``now`` in monotonic seconds."""
        due = self._since + LOOK_S * (2 ** min(self.looked + 1, 6) - 1)
        return self._pod is None and not self.vanished and now >= due

    def sight(self, now: dt.datetime) -> Sight:
        """How it stands."""
        return replace(self._seen(now), made=self.made)

    def _seen(self, now: dt.datetime) -> Sight:
        if self._pod is None:
            return gone(self.vanished) if self.vanished else Sight(AttemptState.PENDING, hindrance=self.hindrance)
        sight = sight_of(self._pod, self.step.program.output_from, now)
        if not self.vanished or sight.state in (AttemptState.ENDED, AttemptState.LOST):
            return sight
        return replace(gone(self.vanished), lost=sight.lost or gone(self.vanished).lost)


class Attempts:
    """All that are followed, by claim. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: dict[Claim, Attempt] = {}

    def find(self, claim: Claim) -> Attempt | None:
        """The attempt of a claim, or None."""
        return self._attempts.get(claim)

    def follow(self, attempt: Attempt) -> Attempt:
        """Add it; answers with the one that was followed before, if there is one."""
        with self._lock:
            return self._attempts.setdefault(attempt.claim, attempt)

    def forget(self, claim: Claim) -> None:
        """Remove it, if it is there."""
        with self._lock:
            self._attempts.pop(claim, None)

    def of_run(self, run_uid: str) -> list[Attempt]:
        """All of a run."""
        return [attempt for attempt in self.all() if attempt.claim.run_uid == run_uid]

    def all(self) -> list[Attempt]:
        """All, as they are now."""
        with self._lock:
            return list(self._attempts.values())


def claim_of(step: StepPod) -> Claim:
    """Which attempt it is."""
    return Claim(step.pod.run.uid, step.pod.unit, step.pod.epoch)


_KEPT: Final = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
)


def _kept(pod: Obj) -> dict[str, Any]:
    metadata = pod["metadata"]
    return {
        "metadata": {name: metadata[name] for name in _KEPT if name in metadata},
        "spec": {"nodeName": (pod.get("spec") or {}).get("nodeName") or ""},
        "status": pod.get("status") or {},
    }
