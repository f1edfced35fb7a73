"""A Kubernetes control plane out of real parts, on free ports: etcd, kube-apiserver, kube-controller-manager."""

from __future__ import annotations

import base64
import secrets
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from sluice.crds.policies import CONTROLLER_USER
from tests.cluster.processes import Process, free_port

START_S = 60
"""How long a part may take to be ready, on a busy machine."""
LOOPBACK = "127.0.0.1"
ADMIN, CONTROLLER = "admin", "controller"
USERS = {ADMIN: "admin@example.com", CONTROLLER: CONTROLLER_USER}
"""Contexts of the kubeconfig: somebody who may everything, and the controller with all rights but its own name."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs and checks the tokens of service accounts."""

    private: Path
    public: Path


@contextmanager
def running(programs: Path, folder: Path) -> Iterator[Path]:
    """A control plane that is ready; answers with its kubeconfig. All data is in ``folder``. It ends with the block."""
    with ExitStack() as parts:
        keys, tokens = _keys(folder), {name: secrets.token_urlsafe(24) for name in USERS}
        (folder / "tokens.csv").write_text(
            "".join(f"{token},{USERS[name]},{name},system:masters\n" for name, token in tokens.items())
        )
        storage = _etcd(programs, folder, parts)
        port = _apiserver(programs, folder, keys, storage, parts)
        kubeconfig = folder / "kubeconfig"
        authority = (folder / "certs" / "apiserver.crt").read_bytes()
        kubeconfig.write_text(_kubeconfig(f"https://{LOOPBACK}:{port}", authority, tokens))
        _controller_manager(programs, folder, keys, kubeconfig, parts)
        yield kubeconfig


def _etcd(programs: Path, folder: Path, parts: ExitStack) -> str:
    """The URL of a store that forgets on a power loss and is fast for it."""
    url, peers = f"http://{LOOPBACK}:{free_port()}", f"http://{LOOPBACK}:{free_port()}"
    options = {
        "data-dir": folder / "etcd",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
    }
    etcd = _start([programs / "etcd", "--unsafe-no-fsync", *_flags(options)], folder, parts)
    _wait(etcd, lambda: _answers(f"{url}/health"))
    return url


def _apiserver(programs: Path, folder: Path, keys: Keys, storage: str, parts: ExitStack) -> int:
    """The port of an API server that makes its own certificate."""
    port = free_port()
    options = {
        "etcd-servers": storage,
        "cert-dir": folder / "certs",
        "secure-port": port,
        "bind-address": LOOPBACK,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": keys.public,
        "service-account-signing-key-file": keys.private,
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "Node,RBAC",
        "service-cluster-ip-range": "10.0.0.0/24",
        "allow-privileged": "true",
        "kubelet-preferred-address-types": "InternalIP",
    }
    apiserver = _start([programs / "kube-apiserver", *_flags(options)], folder, parts)
    _wait(apiserver, lambda: _answers(f"https://{LOOPBACK}:{port}/readyz"))
    return port


def _controller_manager(programs: Path, folder: Path, keys: Keys, kubeconfig: Path, parts: ExitStack) -> None:
    """What collects garbage, empties namespaces and makes service accounts; Jobs at the rate of a large cluster."""
    port = free_port()
    options = {
        "kubeconfig": kubeconfig,
        "leader-elect": "false",
        "bind-address": LOOPBACK,
        "secure-port": port,
        "cert-dir": folder / "manager-certs",
        "service-account-private-key-file": keys.private,
        "root-ca-file": folder / "certs" / "apiserver.crt",
        "use-service-account-credentials": "true",
        "controllers": "*,-nodelifecycle,-cloud-node-lifecycle-controller",
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
        "concurrent-job-syncs": 50,
        "concurrent-gc-syncs": 50,
    }
    manager = _start([programs / "kube-controller-manager", *_flags(options)], folder, parts)
    _wait(manager, lambda: _answers(f"https://{LOOPBACK}:{port}/healthz"))


def _start(command: list[str | Path], folder: Path, parts: ExitStack) -> Process:
    process = Process(command, folder=folder)
    parts.callback(process.stop)
    return process


def _flags(options: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _keys(folder: Path) -> Keys:
    keys = Keys(folder / "accounts.key", folder / "accounts.pub")
    for command in (f"genrsa -out {keys.private} 2048", f"rsa -in {keys.private} -pubout -out {keys.public}"):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    return keys


def _wait(process: Process, ready: Callable[[], bool]) -> None:
    """Ask again and again, for want of anything that would tell."""
    deadline = time.monotonic() + START_S
    while not ready():
        process.check()
        if time.monotonic() > deadline:
            raise process.failure(f"was not ready after {START_S} s")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    """Whether it says that it is well. Its certificate is only just being made, so nothing is trusted, and nothing sent."""
    context = ssl._create_unverified_context() if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _kubeconfig(server: str, authority: bytes, tokens: dict[str, str]) -> str:
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [{"name": name, "context": {"cluster": "test", "user": name}} for name in tokens],
        "current-context": ADMIN,
    }
    return yaml.safe_dump(made, sort_keys=False)
