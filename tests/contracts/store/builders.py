"""Valid minimal objects, and waiting for what a store does on its own time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sluice.api.kinds import API_VERSION, ROLLOUT, WORKFLOW
from sluice.ports.errors import NotFound
from sluice.ports.store import Obj, Ref, Store, Watch, WatchEvent

T = TypeVar("T")
PATIENCE_S = 60.0


def workflow(namespace: str, name: str = "support", **metadata: Any) -> Obj:
    """A workflow with one step."""
    step = {"name": "hello", "action": {"python": {"code": "output = 1"}}}
    return {
        "apiVersion": API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"owner": "ana@example.com", "tags": ["tickets"], "definition": {"steps": [step]}},
    }


def rollout(namespace: str, name: str = "support", *, percent: int = 25, **metadata: Any) -> Obj:
    """A rollout with one plain percentage."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"percent": percent},
    }


def config_map(namespace: str, name: str = "settings", **data: str) -> Obj:
    """A kind of Kubernetes' own, without a status."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def namespace_manifest(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def owned_by(owner: Obj, *, blocking: bool = False) -> dict[str, Any]:
    """Metadata that makes an object a dependent of ``owner``."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {"ownerReferences": [{**reference, "blockOwnerDeletion": True} if blocking else reference]}


def workflow_ref(namespace: str, name: str = "support") -> Ref:
    return Ref(WORKFLOW, namespace, name)


def rollout_ref(namespace: str, name: str = "support") -> Ref:
    return Ref(ROLLOUT, namespace, name)


def version_of(obj: Obj) -> int:
    return int(obj["metadata"]["resourceVersion"])


def exists(store: Store, ref: Ref) -> bool:
    try:
        store.get(ref)
    except NotFound:
        return False
    return True


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until ``condition`` holds; fail, saying ``what`` was waited for, when it takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s in vain: {what}"
        tick.wait(0.01)


def take(watch: Watch, count: int) -> list[WatchEvent]:
    """The next ``count`` events."""
    events: list[WatchEvent] = []
    stream: Iterator[WatchEvent] = iter(watch)
    while len(events) < count:
        events.append(next(stream))
    return events


def told(event: WatchEvent) -> tuple[str, str]:
    """What happened to which name."""
    return event.type, event.object["metadata"].get("name", "")
