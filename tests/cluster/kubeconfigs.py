"""Kubeconfigs: of the users that a test cluster starts with, and of any service account with exactly its rights."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.cluster.installation import Cluster

DAY = "24h"


@dataclass(frozen=True, slots=True)
class User:
    """Who acts; ``namespace`` is where commands go that name none."""

    token: str
    namespace: str = "default"


def write_kubeconfig(path: Path, server: str, authority: bytes, users: dict[str, User]) -> None:
    """A context for each user, the first one the current."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    contexts = {name: {"cluster": "test", "user": name, "namespace": user.namespace} for name, user in users.items()}
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": user.token}} for name, user in users.items()],
        "contexts": [{"name": name, "context": context} for name, context in contexts.items()],
        "current-context": next(iter(users)),
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(made, sort_keys=False))


def write_account_kubeconfig(path: Path, cluster: Cluster, namespace: str, name: str) -> None:
    """Whoever uses it is that service account, for a day, and has its rights; the account is there already."""
    token = cluster("create", "token", name, f"--namespace={namespace}", f"--duration={DAY}").strip()
    read: dict[str, Any] = json.loads(cluster("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    target = read["clusters"][0]["cluster"]
    authority = base64.b64decode(target["certificate-authority-data"])
    write_kubeconfig(path, target["server"], authority, {name: User(token, namespace)})


def server_host(path: Path) -> str:
    """The name or address of the API server."""
    server: str = yaml.safe_load(path.read_text())["clusters"][0]["cluster"]["server"]
    return urlsplit(server).hostname or ""
