"""Kubeconfigs in Secrets, as a workspace has them."""

from __future__ import annotations

import base64
from typing import Any

import yaml

from sluice.api.kinds import SECRET
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref, Store

WORKSPACE, NAME = "default", "far"
REF = Ref(SECRET, WORKSPACE, NAME)


def kubeconfig(server: str = "https://127.0.0.1:1", **user: Any) -> Obj:
    """A kubeconfig with one context; the user shows a token unless said."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "far", "cluster": {"server": server}}],
        "users": [{"name": "sluice", "user": user or {"token": "secret"}}],
        "contexts": [{"name": "far", "context": {"cluster": "far", "user": "sluice"}}],
        "current-context": "far",
    }


def secret(content: Obj | str | bytes) -> Obj:
    """The Secret with this kubeconfig."""
    text = yaml.safe_dump(content) if isinstance(content, dict) else content
    data = text.encode() if isinstance(text, str) else text
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME, "namespace": WORKSPACE},
        "data": {"kubeconfig": base64.b64encode(data).decode()},
    }


def put(store: Store, content: Obj | str) -> Obj:
    """Store it, in place of the one that is there."""
    made = secret(content)
    try:
        found = store.get(REF)
    except NotFound:
        return store.create(made)
    return store.update({**found, "data": made["data"]})
