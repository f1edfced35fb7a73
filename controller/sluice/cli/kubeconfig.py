"""Which server is meant, found as kubectl finds it: files, contexts, clusters, users.

The order: ``--kubeconfig``; ``KUBECONFIG`` (several files, the first to say something counts); the file that `sluice up`
wrote in ``$SLUICE_DATA`` or ``.sluice`` here; ``~/.kube/config``; the service account of the pod that this runs in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sluice.cli.failures import Failed, Wrong

Section = dict[str, Any]
NAMED_SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}
PATH_FIELDS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
UNTRUSTED = {"exec": "a program to run", "auth-provider": "a program to run", "tokenFile": "a file to send"}
"""What a file that merely lies in the current folder must not ask for: it may have come with somebody's repository."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says about the place; empty where it says nothing."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A server, how to be known there, and the namespace that is meant. ``origin`` is the file that said so."""

    server: str
    namespace: str = "default"
    cluster: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""


def find_target(wish: Wish, environ: Mapping[str, str], *, here: Path, home: Path) -> Target:
    """The server that is meant; Failed says what to do when there is none, Wrong when what is named doesn't exist."""
    files = _files(wish, environ, here=here, home=home)
    if not files and not wish.context and (inside := _in_cluster(environ, wish)):
        return inside
    if not files:
        raise Failed(
            "no server to talk to: start one here with `sluice up`, or name a kubeconfig with --kubeconfig or KUBECONFIG"
        )
    merged = merge([read(path, trusted=trusted) for path, trusted in files])
    return select(merged, wish, origin=", ".join(str(path) for path, _ in files))


def _files(wish: Wish, environ: Mapping[str, str], *, here: Path, home: Path) -> list[tuple[Path, bool]]:
    """The files to merge, and whether each may name programs to run."""
    if wish.kubeconfig:
        path = Path(wish.kubeconfig)
        if not path.is_file():
            raise Wrong(f"--kubeconfig: there is no file {path}")
        return [(path, True)]
    if environ.get("KUBECONFIG"):
        named = [Path(part) for part in environ["KUBECONFIG"].split(os.pathsep) if part]
        found = [(path, True) for path in named if path.is_file()]
        if not found:
            raise Failed(f"KUBECONFIG: there is no file {environ['KUBECONFIG']}")
        return found
    own = _local(environ, here)
    homely = [(home / ".kube" / "config", True)] if (home / ".kube" / "config").is_file() else []
    if wish.context:
        return homely + own
    return own or homely


def _local(environ: Mapping[str, str], here: Path) -> list[tuple[Path, bool]]:
    named = environ.get("SLUICE_DATA")
    path = Path(named) / "kubeconfig" if named else here / ".sluice" / "kubeconfig"
    if path.is_file():
        return [(path, bool(named))]
    if named:
        raise Failed(f"SLUICE_DATA: there is no {path}; start the server with `sluice up --data {named}`")
    return []


def read(path: Path, *, trusted: bool = True) -> Section:
    """One file, its relative paths made absolute. Wrong when it is no kubeconfig, or asks for what only a trusted one may."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Wrong(f"{path}: this is no kubeconfig: {str(error).splitlines()[0]}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Wrong(f"{path}: this is no kubeconfig: it must be a map with clusters, users and contexts")
    for section, part in NAMED_SECTIONS.items():
        for entry in content.get(section) or []:
            if not isinstance(entry, dict) or not isinstance(entry.get(part) or {}, dict):
                raise Wrong(f"{path}: {section}: each entry must have a name and a {part}")
            inner = entry.get(part) or {}
            if not trusted and (asked := next((UNTRUSTED[key] for key in inner if key in UNTRUSTED), "")):
                raise Wrong(f"{path}: users: it names {asked}; give it with --kubeconfig if you trust it")
            for key in PATH_FIELDS:
                if isinstance(inner.get(key), str):
                    inner[key] = str(path.parent.absolute() / inner[key])
    return content


def merge(contents: Sequence[Section]) -> Section:
    """Several files as one: of each name and of the current context, the first that is given counts."""
    merged: Section = {"current-context": ""}
    for content in contents:
        merged["current-context"] = merged["current-context"] or content.get("current-context") or ""
        for section, part in NAMED_SECTIONS.items():
            known = merged.setdefault(section, {})
            for entry in content.get(section) or []:
                known.setdefault(str(entry.get("name")), entry.get(part) or {})
    return merged


def select(merged: Section, wish: Wish, *, origin: str) -> Target:
    """The server of the wished or current context."""
    name = wish.context or merged["current-context"]
    contexts = merged.get("contexts") or {}
    if name not in contexts:
        known = ", ".join(sorted(contexts)) or "none"
        said = f'context "{name}" does not exist' if name else "no current-context is set"
        raise Wrong(f"{origin}: {said}; there are: {known}; choose one with --context")
    context = contexts[name]
    cluster = (merged.get("clusters") or {}).get(context.get("cluster"))
    if not cluster or not cluster.get("server"):
        raise Wrong(f'{origin}: context "{name}" names the cluster "{context.get("cluster")}", which has no server')
    user = (merged.get("users") or {}).get(context.get("user")) or {}
    namespace = wish.namespace or context.get("namespace") or "default"
    return Target(str(cluster["server"]).rstrip("/"), namespace, cluster, user, origin)


def _in_cluster(environ: Mapping[str, str], wish: Wish) -> Target | None:
    host, token = environ.get("KUBERNETES_SERVICE_HOST"), SERVICE_ACCOUNT / "token"
    if not host or not token.is_file():
        return None
    shown = f"[{host}]" if ":" in host else host
    namespace = SERVICE_ACCOUNT / "namespace"
    return Target(
        f"https://{shown}:{environ.get('KUBERNETES_SERVICE_PORT', '443')}",
        wish.namespace or (namespace.read_text(encoding="utf-8").strip() if namespace.is_file() else "default"),
        {"certificate-authority": str(SERVICE_ACCOUNT / "ca.crt")},
        {"tokenFile": str(token)},
        "the service account of this pod",
    )
