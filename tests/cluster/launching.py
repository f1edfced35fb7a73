"""A launcher on a real API server, whole: seats, desk, the runners' door over TLS, pods played as processes."""

from __future__ import annotations

import dataclasses
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.launching.clusters import HOME, cluster_on
from sluice.adapters.kubernetes.launching.desk import RunnerDesk
from sluice.adapters.kubernetes.launching.launcher import KubernetesLauncher
from sluice.adapters.kubernetes.launching.oversight import Oversight
from sluice.adapters.kubernetes.launching.seats import Seats
from sluice.adapters.kubernetes.launching.watcher import PodWatcher
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.environment import Launch
from sluice.api.kinds import NAMESPACE
from sluice.domain.launching.placement import Placement
from sluice.domain.launching.pods import Installation
from sluice.domain.launching.security import RUNS_FROM
from sluice.http.runners import MAX_MESSAGE, runner_group
from sluice.http.server import WebSockets
from sluice.ports.launcher import Segment, SegmentSink
from sluice.ports.store import Ref
from tests.cluster.process_kubelet import ProcessKubelet, playing
from tests.cluster.sharing import ControlPlane
from tests.http.live import running
from tests.runner.authority import NAME, vouch

SYNC_S = 30
WORKSPACE = "elsewhere"
"""Runs of tests are no objects, so they are launched across namespaces: nothing owns their Jobs."""


@dataclass
class Holders:
    """The part of a ledger that the desk uses: who holds which epoch."""

    epochs: dict[tuple[str, str], int] = field(default_factory=dict)
    holders: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def bind(self, run_uid: str, unit: str, epoch: int, holder: str) -> bool:
        return self.holders.setdefault((run_uid, unit, epoch), holder) == holder

    def now(self) -> int:
        return time.time_ns() // 1000

    def epoch(self, run_uid: str, unit: str) -> int:
        return self.epochs.get((run_uid, unit), 0)

    def run(self, run_uid: str) -> Any:
        return dataclasses.make_dataclass("Record", ["ended"])(0)


class Always:
    """Who always leads."""

    def is_leading(self) -> bool:
        return True

    def runner_url(self) -> str:
        return ""


class PlacedLauncher(KubernetesLauncher):
    """Puts every segment into the test's namespace."""

    place: Placement
    ledger: Holders

    def launch(self, segment: Segment) -> None:
        super().launch(self.placed(segment))

    def adopt(self, segment: Segment) -> bool:
        return super().adopt(self.placed(segment))

    def placed(self, segment: Segment) -> Segment:
        self.ledger.epochs[segment.run.uid, segment.unit] = segment.epoch
        return dataclasses.replace(segment, placement=self.place)


@dataclass(frozen=True)
class Site:
    """Everything there is."""

    launcher: PlacedLauncher
    kubelet: ProcessKubelet
    oversight: Oversight
    seats: Seats
    store: KubernetesStore
    namespace: str


@contextmanager
def launching(plane: ControlPlane, folder: Path, sink: SegmentSink, *, launch: Launch = Launch.JOB) -> Iterator[Site]:
    """A site in a namespace of its own; everything that it started is stopped at the end."""
    own = uuid.uuid4().hex[:10]
    namespace = f"launching-{own}"
    with ExitStack() as ends:
        transport = Transport(from_kubeconfig(plane.kubeconfig))
        ends.callback(transport.close)
        store = KubernetesStore(transport)
        made = {"name": namespace, "annotations": {RUNS_FROM: WORKSPACE}}
        store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": made})
        ends.callback(store.delete, Ref(NAMESPACE, "", namespace))
        cluster = cluster_on(transport, own)
        seats, ledger, vouched = Seats(), Holders(), vouch(folder)
        desk = RunnerDesk(seats, lambda _: cluster, ledger, lambda: sink, Always())  # type: ignore[arg-type]
        oversight = Oversight(seats, lambda _: cluster, lambda: sink)
        group, _ = runner_group(desk)
        server = ends.enter_context(running([group], tls=vouched.context, websockets=WebSockets(MAX_MESSAGE)))
        installation = Installation(f"https://127.0.0.1:{server.port}", NAME, vouched.authority, "sluice:test", own)
        launcher = PlacedLauncher(seats, lambda _: cluster, installation)
        launcher.place = Placement(launch, WORKSPACE, namespace, "test")
        launcher.ledger = ledger
        pods = PodWatcher(
            cluster.workloads,
            lambda pod, gone: oversight.seen(HOME, pod, gone=gone),
            lambda there: oversight.missed(HOME, there),
        )
        for part in (pods, oversight):
            part.start()
            ends.callback(part.close)
        assert pods.wait_until_synced(SYNC_S)
        kubelet = ends.enter_context(playing(transport, folder, controller_id=own))
        _wait_for_account(store, namespace)
        ends.callback(launcher.close)
        yield Site(launcher, kubelet, oversight, seats, store, namespace)


def _wait_for_account(store: KubernetesStore, namespace: str) -> None:
    """A new namespace has its service account a moment later; pods are refused before."""
    from sluice.api.kinds import KindInfo
    from sluice.ports.errors import NotFound

    account = KindInfo("ServiceAccount", "serviceaccounts", "v1")
    waited = threading.Event()
    for _ in range(100):
        try:
            store.get(Ref(account, namespace, "default"))
        except NotFound:
            waited.wait(0.1)
        else:
            return
    raise AssertionError(f"namespace {namespace} got no service account")
