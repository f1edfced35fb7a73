"""A server for the verbs: the real HTTP layer over the real store with admission, and the statuses a controller would write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml
from typer.testing import CliRunner, Result

from sluice.adapters.sqlite.store import SqliteStore
from sluice.api.kinds import API_VERSION, CONFIG_MAP, SLUICE_KINDS, WORKFLOW, WORKFLOW_VERSION, KindInfo
from sluice.cli.main import app
from sluice.domain.definition.canonical import canonicalize
from sluice.ports.store import Obj, Ref, WatchEvent

ANA = "ana@example.com"
STEP = {"name": "hello", "action": {"python": {"code": "output = 1"}}}
DIGESTS = {1: "sha256:" + "1" * 64, 2: "sha256:" + "2" * 64, 3: "sha256:" + "3" * 64}
AT = "2026-01-31T08:00:00Z"


def call(*words: str, input: str | None = None) -> Result:
    """Run the program; stdout and stderr apart."""
    return CliRunner().invoke(app, list(words), input=input, prog_name="sluice")


def manifest(kind: str, name: str, spec: Obj, **metadata: Any) -> Obj:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": spec,
    }


def workflow(name: str = "support", **spec: Any) -> Obj:
    return manifest("Workflow", name, {"owner": ANA, "definition": {"steps": [STEP]}, **spec})


def environment(name: str = "production", **spec: Any) -> Obj:
    return manifest("Environment", name, {"type": "Sandbox", **spec})


def version(number: int, name: str = "support", **spec: Any) -> Obj:
    frozen = {
        "workflow": name,
        "workflowUid": "uid-1",
        "number": number,
        "digest": DIGESTS[number],
        "draftDigest": DIGESTS[number],
        "level": 1,
        "definition": canonicalize({"steps": [STEP]}),
        "publishedBy": ANA,
        "publishedAt": AT,
    }
    return manifest("WorkflowVersion", f"{name}-v{number}", {**frozen, **spec})


def as_files(folder: Path, *objects: Obj, name: str = "all.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(yaml.safe_dump_all(objects, sort_keys=False))
    return folder


@dataclass
class Place:
    """What the tests do beside the verbs."""

    store: SqliteStore
    url: str
    undo: list[Callable[[], None]] = field(default_factory=list)

    def make(self, *objects: Obj, manager: str = "test") -> None:
        for obj in objects:
            self.store.create(obj, manager=manager)

    def report(self, kind: KindInfo, name: str, **status: Any) -> None:
        """Write a status, as the controller does."""
        obj = self.get(kind, name)
        self.store.update_status({**obj, "status": {**(obj.get("status") or {}), **status}}, manager="sluice")

    def get(self, kind: KindInfo, name: str) -> Obj:
        return self.store.get(Ref(kind, "default", name))

    def all(self, kind: KindInfo) -> list[Obj]:
        return self.store.list(kind, "default").items

    def publish(self, *numbers: int, name: str = "support", **status: Any) -> None:
        """Versions of a workflow, and what its status says of them."""
        self.make(*(version(number, name) for number in numbers))
        for number in numbers:
            self.report(WORKFLOW_VERSION, f"{name}-v{number}", phase="Published", id=f"wflv_{number}")
        newest = max(numbers)
        self.report(
            WORKFLOW,
            name,
            **{
                "observedGeneration": self.get(WORKFLOW, name)["metadata"]["generation"],
                "lastNumber": newest,
                "live": f"v{newest}",
                "draftDigest": DIGESTS[newest],
                **status,
            },
        )

    def clear(self) -> None:
        """Remove everything, as before the test."""
        for kind in (*SLUICE_KINDS, CONFIG_MAP):
            for obj in self.all(kind):
                self.store.delete(Ref(kind, "default", obj["metadata"]["name"]))

    def answer(self, kind: KindInfo, reply: Callable[[Obj], None]) -> None:
        """Do ``reply`` once, on a thread of its own, when an object of the kind changed next: what a controller would."""
        done = threading.Event()

        def listen(event: WatchEvent) -> None:
            if not done.is_set() and event.type != "BOOKMARK":
                done.set()
                thread = threading.Thread(target=reply, args=(orjson.loads(event.raw),))
                self.undo.append(thread.join)
                thread.start()

        subscription = self.store.subscribe([kind], listen)
        self.undo.append(subscription.close)
