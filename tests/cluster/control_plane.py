"""A Kubernetes control plane out of real parts, on free ports: etcd, API server, controller manager, and a scheduler if wanted.

Each part can be stopped, killed, paused and started again while the others run: it comes back on its ports, with its
data and its keys.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sluice.crds.policies import CONTROLLER_USER
from tests.cluster.build import program
from tests.cluster.kubeconfigs import User, write_kubeconfig
from tests.cluster.processes import Process, answers, free_port

LOOPBACK = "127.0.0.1"
ADMIN, CONTROLLER = "admin", "controller"
MASTERS = "system:masters"
USERS = {ADMIN: "admin@example.com", CONTROLLER: CONTROLLER_USER}
"""Contexts of the kubeconfig: somebody who may everything, and the controller with all rights but its own name."""
FIREWALL = "kube-router"
PARTS = {"kube-scheduler": "system:kube-scheduler", "kube-proxy": "system:kube-proxy", FIREWALL: FIREWALL}
"""Parts that act by a name of their own. To those of its own Kubernetes gives just the rights they need."""
KUBELET_CLIENT = "kubelet-client"
"""Names the files by which the API server shows kubelets who it is; its certificate is its own authority."""
NODES = tuple(f"node-{number}" for number in range(1, 5))
"""Names that a real node may have: the node authorizer knows each by its user."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a control plane has, and where it listens."""

    address: str = LOOPBACK
    """Of the API server. Pods of a real node can't reach the loopback address."""
    services: str = "10.0.0.0/24"
    """Where Services get their addresses."""
    scheduler: bool = False
    """Without one no pod gets a node."""
    node_loss_s: int = 0
    """After how many seconds without a sign of life a node counts as lost, and how long its pods are then kept: a real
    cluster takes 40 and 300. 0: no node is ever lost."""
    apiserver: str = ""
    """Further flags of the API server, with a space between them."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A control plane that runs. ``kubeconfig`` has the contexts of USERS; ``folder`` holds all data and logs."""

    folder: Path
    options: Options
    server: str
    """Its URL."""
    etcd: Process
    apiserver: Process
    controller_manager: Process
    scheduler: Process | None = None
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def kubeconfig(self) -> Path:
        """Of people and of the controller."""
        return self.folder / "kubeconfig"

    @property
    def kubelet_client(self) -> Path:
        """The certificate by which kubelets know the API server."""
        return self.folder / f"{KUBELET_CLIENT}.crt"

    @property
    def authority(self) -> Path:
        """The certificate by which to know the API server."""
        return self.folder / "certs" / "apiserver.crt"

    def login(self, name: str) -> Path:
        """A kubeconfig in which to act as a part of the cluster or as a node, and nothing else."""
        path = self.folder / f"{name}.kubeconfig"
        write_kubeconfig(path, self.server, self.authority.read_bytes(), {name: User(self.tokens[name])})
        return path


@contextmanager
def running(folder: Path, options: Options | None = None) -> Iterator[Plane]:
    """A control plane that is ready. All data is in ``folder``, which is there. It ends with the block."""
    options, tokens, keys = options or Options(), _tokens(folder), _keys(folder)
    with ExitStack() as parts:

        def started(process: Process) -> Process:
            parts.callback(process.stop)
            process.start()
            return process

        etcd, storage = _etcd(folder)
        apiserver, server = _apiserver(folder, keys, storage, options)
        manager = _controller_manager(folder, keys, options)
        scheduler = _scheduler(folder) if options.scheduler else None
        plane = Plane(folder, options, server, etcd, apiserver, manager, scheduler, tokens)
        started(etcd)
        started(apiserver)
        users = {name: User(tokens[name]) for name in USERS}
        write_kubeconfig(plane.kubeconfig, server, plane.authority.read_bytes(), users)
        started(manager)
        if scheduler:
            plane.login(scheduler.name)
            started(scheduler)
        yield plane


def _etcd(folder: Path) -> tuple[Process, str]:
    """A store that forgets on a power loss and is fast for it; and its URL."""
    url, peers = f"http://{LOOPBACK}:{free_port()}", f"http://{LOOPBACK}:{free_port()}"
    options = {
        "data-dir": folder / "etcd",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
    }
    command: list[str | Path] = [program("etcd"), "--unsafe-no-fsync", *_flags(options)]
    return Process(command, folder=folder, ready=lambda: answers(f"{url}/health")), url


def _apiserver(folder: Path, keys: Path, storage: str, options: Options) -> tuple[Process, str]:
    """An API server that makes its own certificate, and its URL."""
    server = f"https://{options.address}:{free_port(options.address)}"
    flags: dict[str, object] = {
        "etcd-servers": storage,
        "cert-dir": folder / "certs",
        "secure-port": server.rpartition(":")[2],
        "bind-address": options.address,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": keys.with_suffix(".pub"),
        "service-account-signing-key-file": keys,
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "Node,RBAC",
        "service-cluster-ip-range": options.services,
        "allow-privileged": "true",
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-client-certificate": folder / f"{KUBELET_CLIENT}.crt",
        "kubelet-client-key": folder / f"{KUBELET_CLIENT}.key",
    }
    if not options.node_loss_s:
        flags["disable-admission-plugins"] = "TaintNodesByCondition"  # nothing would ever take that taint off again
    if options.node_loss_s:
        flags["default-not-ready-toleration-seconds"] = options.node_loss_s
        flags["default-unreachable-toleration-seconds"] = options.node_loss_s
    command: list[str | Path] = [program("kube-apiserver"), *_flags(flags), *options.apiserver.split()]
    return Process(command, folder=folder, ready=lambda: answers(f"{server}/readyz")), server


def _controller_manager(folder: Path, keys: Path, options: Options) -> Process:
    """What collects garbage, empties namespaces and makes service accounts; Jobs at the rate of a large cluster."""
    port = free_port()
    flags: dict[str, object] = {
        "kubeconfig": folder / "kubeconfig",
        "leader-elect": "false",
        "bind-address": LOOPBACK,
        "secure-port": port,
        "cert-dir": folder / "manager-certs",
        "service-account-private-key-file": keys,
        "root-ca-file": folder / "certs" / "apiserver.crt",
        "use-service-account-credentials": "true",
        "controllers": "*,-nodelifecycle,-cloud-node-lifecycle-controller",
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
        "concurrent-job-syncs": 50,
        "concurrent-gc-syncs": 50,
    }
    if options.node_loss_s:
        flags["controllers"] = "*,-cloud-node-lifecycle-controller"
        flags["node-monitor-period"] = "1s"
        flags["node-monitor-grace-period"] = f"{options.node_loss_s}s"
    command: list[str | Path] = [program("kube-controller-manager"), *_flags(flags)]
    return Process(command, folder=folder, ready=lambda: answers(f"https://{LOOPBACK}:{port}/healthz"))


def _scheduler(folder: Path) -> Process:
    port = free_port()
    flags = {
        "kubeconfig": folder / "kube-scheduler.kubeconfig",
        "leader-elect": "false",
        "bind-address": LOOPBACK,
        "secure-port": port,
        "cert-dir": folder / "scheduler-certs",
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
    }
    command: list[str | Path] = [program("kube-scheduler"), *_flags(flags)]
    return Process(command, folder=folder, ready=lambda: answers(f"https://{LOOPBACK}:{port}/readyz"))


def _flags(options: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _tokens(folder: Path) -> dict[str, str]:
    """A token of each user, part and node, in a file that the API server reads."""
    users = {name: (user, MASTERS) for name, user in USERS.items()}
    users |= {name: (user, "") for name, user in PARTS.items()}
    users |= {name: (f"system:node:{name}", "system:nodes") for name in NODES}
    tokens = {name: secrets.token_urlsafe(24) for name in users}
    lines = (f"{tokens[name]},{user},{name}{group and f',{group}'}\n" for name, (user, group) in users.items())
    (folder / "tokens.csv").write_text("".join(lines))
    return tokens


def _keys(folder: Path) -> Path:
    """What signs the tokens of service accounts; what checks them, and what kubelets know the API server by, is beside it."""
    private, client = folder / "accounts.key", folder / KUBELET_CLIENT
    for command in (
        f"genrsa -out {private} 2048",
        f"rsa -in {private} -pubout -out {private.with_suffix('.pub')}",
        f"req -x509 -newkey rsa:2048 -nodes -days 30 -subj /O={MASTERS}/CN=kube-apiserver"
        f" -keyout {client}.key -out {client}.crt",
    ):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    return private
