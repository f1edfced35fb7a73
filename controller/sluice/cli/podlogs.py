"""What a run's pods print, on a cluster: read from where they run, by way of the API server.

``sluice.runner.journal`` says what the lines are: one that a step printed begins with the step's name and ``| ``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sluice.api.kinds import ENVIRONMENT, GROUP, KindInfo
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Failed, Refused

POD = KindInfo("Pod", "pods", "v1", ("po",))
RUN_UID = f"{GROUP}/run-uid"
UNIT = f"{GROUP}/unit"
RUNNER, PROGRAM = "runner", "step"
"""The containers that print: of a segment's pod, and of that of a step with an image of its own."""
NOT_FOUND = 404


class NoPods(Failed):
    """There are none to read from; the message says why."""


@dataclass
class PodLogs:
    """The lines of one run's pods, each printed once, pod after pod in the order in which they were made."""

    client: Client
    uid: str
    step: str = ""
    _told: dict[str, int] = field(default_factory=dict)
    """How many lines of each pod were given already."""
    _whole: set[str] = field(default_factory=set)
    _open: set[str] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        """Whether no container went on when its log was read last."""
        return not self._open

    def pods(self) -> list[Obj]:
        """Those that are there, oldest first."""
        found = self.client.list(POD, selection(labels=f"{RUN_UID}={self.uid}"))
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def lines(self, *, follow: bool = False) -> Iterator[str]:
        """What was not given yet. With ``follow`` it goes on as long as a pod runs; pods that come later need another call.

        Failed when a pod's log can't be read; that of the others was given then.
        """
        unread: list[str] = []
        self._open.clear()
        for pod in self.pods():
            try:
                yield from self._printed(pod, follow=follow)
            except Refused as refused:
                name = pod["metadata"]["name"]
                if refused.code != NOT_FOUND or self.client.find(POD, name):  # else it went meanwhile
                    unread.append(f"the log of pod {name} can't be read: {refused}")
        if unread:
            raise Failed("\n".join(unread))

    def _printed(self, pod: Obj, *, follow: bool) -> Iterator[str]:
        container, printer = _printer_of(pod)
        uid, state = pod["metadata"]["uid"], _state_of(pod, container)
        if uid in self._whole or state not in {"running", "terminated"}:
            return
        self._open.add(uid)
        path = f"{self.client.path(POD, pod['metadata']['name'])}/log"
        query = {"container": container} | ({"follow": "true"} if follow and state == "running" else {})
        known, keep = self._told.get(uid, 0), _only(self.step)
        for at, line in enumerate(self.client.lines(path, query)):
            if at < known:
                continue
            self._told[uid] = at + 1
            if (text := keep(printer + line.decode(errors="replace"))) is not None:
                yield f"{text}\n"
        if state == "terminated":
            # Its last line was written before its state was read.
            self._whole.add(uid)
            self._open.discard(uid)


def _printer_of(pod: Obj) -> tuple[str, str]:
    """The container that prints, and what its lines begin with where they don't say it themselves."""
    kind, _, rest = str((pod["metadata"].get("labels") or {}).get(UNIT, "")).partition(".")
    return (PROGRAM, f"{rest.partition('.')[0]}| ") if kind == "steps" else (RUNNER, "")


def _state_of(pod: Obj, container: str) -> str:
    """``waiting``, ``running`` or ``terminated``, as the kubelet says of the container; empty where it says nothing."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if status.get("name") == container:
            return next(iter(status.get("state") or {}), "")
    return ""


def client_of_pods(client: Client, run: Obj) -> Client:
    """The client of the namespace where a run's pods are. NoPods when they are in another cluster."""
    pin = run["spec"].get("pin") or {}
    name = pin.get("environment") or run["spec"]["input"].get("environment")
    environment = client.find(ENVIRONMENT, name) if name else None
    spec = environment["spec"] if environment else {}
    if spec.get("cluster"):
        raise NoPods(f"the pods of environment {name} are in another cluster")
    return client.within(spec.get("namespace"))


def _only(step: str) -> Callable[[str], str | None]:
    """Keeps every line as it is, or what one step printed, without its name."""
    prefix = f"{step}| "

    def kept(line: str) -> str | None:
        return line.removeprefix(prefix) if line.startswith(prefix) else None

    return kept if step else str
