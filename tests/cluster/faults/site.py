"""Everything of one scenario: a control plane that can fail, replicas, a ledger, pods, a workspace, and a user who insists."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.leases import LeaseName, read
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.api.kinds import NAMESPACE
from sluice.domain.timestamps import parse_stamp
from sluice.ports.errors import AlreadyExists, PortError
from sluice.ports.store import Obj
from tests.adapters.postgres.server import Server
from tests.cluster import controllers
from tests.cluster.control_plane import Plane
from tests.cluster.faults.kubelet import LastingKubelet
from tests.cluster.faults.replicas import Replica, Service
from tests.cluster.installation import Cluster
from tests.cluster.node import Node
from tests.cluster.workspace import Workspace, workspace

IMPATIENT = Limits(connect_s=2.0, answer_s=10.0, attempts=2, longest_pause_s=1.0)
AGAIN_S = 0.2
LOOK_S = 0.5
DISK = "6m"
"""A ledger's disk where that may be full."""


class User(threading.Thread):
    """Does one thing after the other, each again and again until the API server has taken it."""

    def __init__(self) -> None:
        super().__init__(name="user", daemon=True)
        self._acts: deque[Callable[[], object]] = deque()
        self._over = threading.Event()
        self.problems: list[str] = []
        self.start()

    def ask(self, act: Callable[[], object]) -> None:
        """Do this once all before it is done."""
        self._acts.append(act)

    @property
    def is_done(self) -> bool:
        """Whether everything was taken."""
        return not self._acts

    def stop(self) -> None:
        """Leave off."""
        self._over.set()
        self.join(30)

    def run(self) -> None:
        while not self._over.wait(0 if self._acts else 0.02):
            if not self._acts:
                continue
            try:
                self._acts[0]()
            except AlreadyExists:
                self._acts.popleft()  # it was taken the time before
            except PortError as error:
                self.problems.append(f"{error.reason}: {error}")
                self._over.wait(AGAIN_S)
            else:
                self._acts.popleft()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a site stands on: a control plane, and real nodes if there are any. Without one the kubelet is played."""

    plane: Plane
    nodes: tuple[Node, ...] = ()
    kubectl: Cluster | None = None


@dataclass
class Site:
    """See the module. ``said`` is what happened and when, for whoever looks into a failure."""

    ground: Ground
    folder: Path
    dice: random.Random
    space: Workspace
    kubelet: LastingKubelet | None
    service: Service
    ledger: str
    postgres: Server | None
    own: str
    user: User = field(default_factory=User)
    begun: float = field(default_factory=time.monotonic)
    said: list[str] = field(default_factory=list)
    terms: list[tuple[int, str]] = field(default_factory=list)
    """Of the Lease, and who held it, each time that it was another one."""
    acquired: dict[int, float] = field(default_factory=dict)
    """When each term began, in seconds since the epoch."""
    _looked: float = 0.0

    @property
    def plane(self) -> Plane:
        """The control plane."""
        return self.ground.plane

    @property
    def replicas(self) -> list[Replica]:
        """All of them."""
        return self.service.replicas

    @property
    def disk(self) -> Path:
        """Where an SQLite ledger is."""
        return self.folder / "disk"

    def say(self, what: str) -> None:
        """Note it, with its time."""
        self.said.append(f"{time.monotonic() - self.begun:6.2f} {what}")

    def leader(self) -> Replica:
        """The replica that leads as far as is known, else any."""
        name = self.terms[-1][1].partition("_")[0] if self.terms else ""
        return next((one for one in self.replicas if one.name == name), self.replicas[0])

    @property
    def knows_leader(self) -> bool:
        """Whether `leader` is the one that the Lease names now."""
        record = read(self.space.store.get(lease_of(self.own).ref))
        return bool(self.terms) and self.terms[-1] == (record.term, record.holder)

    def look_after(self) -> None:
        """What has to be done all the time."""
        for replica in self.replicas:
            replica.look_after()
        if time.monotonic() - self._looked >= LOOK_S:
            self._looked = time.monotonic()
            self._look_at_lease()

    def wait(self, condition: Callable[[], object], what: str, *, patience_s: float) -> None:
        """Until it is so, looking after all meanwhile."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                if condition():
                    return
            except PortError as error:
                self.say(f"while waiting until {what}: {error}")
            assert time.monotonic() < deadline, f"waited {patience_s:.0f} s in vain until {what}"
            self.look_after()
            self.pass_time()

    def pass_time(self) -> None:
        """A moment."""
        time.sleep(0.05)

    def _look_at_lease(self) -> None:
        try:
            lease = self.space.store.get(lease_of(self.own).ref)
        except PortError:
            return
        record = read(lease)
        if record.holder and (record.term, record.holder) not in self.terms[-1:]:
            self.terms.append((record.term, record.holder))
            self.acquired[record.term] = parse_stamp(lease["spec"]["acquireTime"]).timestamp()
            self.say(f"{record.holder} leads, term {record.term}")

    @property
    def etcd(self) -> str:
        """Where etcd answers."""
        words = Path(f"/proc/{self.plane.etcd.pid}/cmdline").read_text().split("\0")
        return next(word.partition("=")[2] for word in words if word.startswith("--listen-client-urls="))


def lease_of(own: str) -> LeaseName:
    """The Lease of this scenario's replicas."""
    return LeaseName(controllers.NAMESPACE, f"sluice-controller-{own}")


@contextmanager
def site(
    ground: Ground, folder: Path, dice: random.Random, *, postgres: Server | None, full_disk: bool = False
) -> Iterator[Site]:
    """A site without runs: two replicas on PostgreSQL where there is one, else one on an SQLite file."""
    own, plane = f"f{uuid.uuid4().hex[:8]}", ground.plane
    with ExitStack() as ends:
        transport = Transport(from_kubeconfig(plane.kubeconfig), IMPATIENT)
        ends.callback(transport.close)
        store = KubernetesStore(transport)
        _make_namespace(store)
        environment: Obj = {"runner": {"ttlSecondsAfterFinished": 0, "resources": {"requests": {"cpu": "10m"}}}}
        space = ends.enter_context(workspace(store, own, environment=environment))
        kubelet = None if ground.nodes else _kubelet(transport, folder, own)
        if kubelet is not None:
            kubelet.start()
            ends.callback(kubelet.stop)
        service = Service(plane.options.address, dice)
        ends.callback(service.line.stop)
        ledger = _database(postgres, own) if postgres else f"sqlite:///{folder / 'disk' / 'ledger.db'}"
        (folder / "disk").mkdir()
        if full_disk:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder / "disk"], check=True)
            ends.callback(subprocess.run, ["umount", "--lazy", folder / "disk"], check=True)
        options = {"ledger": ledger, "runner-url": service.url, "controller-id": own, "watch-namespaces": own}
        for name in ("a", "b") if postgres else ("a",):
            replica = Replica(plane, folder, name, options)
            ends.callback(replica.close)
            service.replicas.append(replica)
            replica.run()
        made = Site(ground, folder, dice, space, kubelet, service, ledger, postgres, own)
        ends.callback(made.user.stop)
        yield made


def _kubelet(transport: Transport, folder: Path, own: str) -> LastingKubelet:
    made = LastingKubelet(transport, folder, controller_id=own)
    made.also = {"PYTHONPATH": path} if (path := os.environ.get("PYTHONPATH")) else {}
    return made


def _make_namespace(store: KubernetesStore) -> None:
    try:
        store.create(
            {"apiVersion": NAMESPACE.api_version, "kind": "Namespace", "metadata": {"name": controllers.NAMESPACE}}
        )
    except AlreadyExists:
        return


def _database(server: Server, name: str) -> str:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    folder = dict(part.split("=") for part in server.url.split())["host"]
    return f"postgresql:///{name}?host={folder}&user=sluice"


def free_disk(path: Path) -> int:
    """Bytes that can still be written there."""
    return shutil.disk_usage(path).free
