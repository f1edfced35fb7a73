"""Containers without a cluster: attempts stand as the test says."""

from __future__ import annotations

from typing import Any

from sluice.api.reasons import Reason, StepReason
from sluice.domain.launching.endings import Because
from sluice.domain.launching.step_endings import ABSENT, AttemptState, Sight
from sluice.domain.launching.step_pods import StepPod
from sluice.ports.containers import Changed, Containers
from sluice.ports.errors import Unavailable
from sluice.ports.launcher import LaunchRefused

SUCCEEDED = {"phase": "Succeeded", "reason": "Completed", "output": None}


class HandContainers:
    """What is there of each attempt, by the name of its Job; it outlives the controller."""

    def __init__(self) -> None:
        self.there: dict[str, StepPod] = {}
        self.sights: dict[str, Sight] = {}
        self.launches: list[tuple[str, int]] = []
        """Unit and epoch, in order."""
        self.stopped: list[tuple[str, int]] = []
        self.released: list[tuple[str, int]] = []
        self.refusal: tuple[Reason, str] | None = None
        self.away = False
        self.printed = ""
        self._changed: Changed = lambda namespace, name: None

    def tell(self, changed: Changed) -> Containers:
        """The port of a controller, which is told from now on."""
        self._changed = changed
        return self

    # -- the port ---------------------------------------------------------------------------------------------------
    def launch(self, step: StepPod) -> None:
        self._require()
        if self.refusal is not None:
            raise LaunchRefused(*self.refusal)
        if step.pod.name not in self.there:
            self.there[step.pod.name] = step
            self.sights[step.pod.name] = Sight(AttemptState.PENDING)
            self.launches.append((step.pod.unit, step.pod.epoch))

    def look(self, step: StepPod) -> Sight:
        self._require()
        return self.sights.get(step.pod.name, ABSENT)

    def log(self, step: StepPod) -> str:
        return self.printed

    def stop(self, step: StepPod) -> None:
        self._require()
        self.stopped.append((step.pod.unit, step.pod.epoch))
        self._remove(step.pod.name)

    def release(self, step: StepPod) -> None:
        self.released.append((step.pod.unit, step.pod.epoch))

    def kill(self, run_uid: str) -> None:
        for name, step in list(self.there.items()):
            if step.pod.run.uid == run_uid:
                self.stopped.append((step.pod.unit, step.pod.epoch))
                self._remove(name)

    # -- what the cluster does ----------------------------------------------------------------------------------------
    def newest(self, step: str) -> StepPod:
        """The pod that was launched last of a step."""
        return [pod for pod in self.there.values() if pod.pod.unit.split(".")[1] == step][-1]

    def end(self, name: str, *, failed: bool = False) -> None:
        """The pod of this name ends."""
        verdict = {"phase": "Failed", "reason": "ContainerFailed", "message": "it failed"} if failed else SUCCEEDED
        self.sights[name] = Sight(AttemptState.ENDED, body=verdict)
        run = self.there[name].pod.run
        self._changed(run.namespace, run.name)

    def begin(self, step: str, started: int = 0) -> None:
        self._stand(step, Sight(AttemptState.RUNNING, started=started))

    def succeed(self, step: str, output: Any = None) -> None:
        self._stand(
            step,
            Sight(AttemptState.ENDED, body={"phase": "Succeeded", "reason": "Completed", "output": output}),
        )

    def fail(self, step: str, message: str = "its container ended with code 1") -> None:
        body = {"phase": "Failed", "reason": "ContainerFailed", "message": message}
        self._stand(step, Sight(AttemptState.ENDED, body=body))

    def lose(self, step: str) -> None:
        lost = Because(StepReason.POD_EVICTED, "its node is being drained")
        self._stand(step, Sight(AttemptState.LOST, lost=lost))

    def hinder(self, step: str, reason: Reason, message: str) -> None:
        self._stand(step, Sight(AttemptState.PENDING, hindrance=(reason, message)))

    def vanish(self, step: str) -> None:
        """Somebody deleted its Job while nobody looked."""
        self._remove(self.newest(step).pod.name)

    def _stand(self, step: str, sight: Sight) -> None:
        pod = self.newest(step).pod
        self.sights[pod.name] = sight
        self._changed(pod.run.namespace, pod.run.name)

    def _remove(self, name: str) -> None:
        self.there.pop(name, None)
        self.sights.pop(name, None)

    def _require(self) -> None:
        if self.away:
            raise Unavailable("the API server does not answer")
