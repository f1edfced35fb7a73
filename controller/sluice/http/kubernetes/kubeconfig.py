"""Writes the file by which kubectl finds this server."""

from __future__ import annotations

import base64
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

NAME = "sluice"
"""Name of the cluster, the user and the context."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a server. kubectl sends ``token`` over https only; ``authority`` is its CA certificate as PEM."""

    server: str
    namespace: str = "default"
    token: str = ""
    authority: bytes = b""


def write_kubeconfig(path: Path, connection: Connection) -> None:
    """Write ``path`` for its owner's eyes alone; a reader sees the old file or the new one, never a part."""
    import yaml  # noqa: PLC0415

    content = yaml.safe_dump(kubeconfig(connection), sort_keys=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def kubeconfig(connection: Connection) -> dict[str, object]:
    """The file's content, with one context that is the current one."""
    cluster: dict[str, str] = {"server": connection.server}
    if connection.authority:
        cluster["certificate-authority-data"] = base64.b64encode(connection.authority).decode()
    context = {"cluster": NAME, "user": NAME, "namespace": connection.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": connection.token} if connection.token else {}}],
        "contexts": [{"name": NAME, "context": context}],
        "current-context": NAME,
    }
