"""A folder that is followed for real: files, the embedded controller in memory, and what was reported of each sync."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sluice.adapters.files.directory import DirectorySource
from sluice.api import kinds
from sluice.api.kinds import API_VERSION, KindInfo
from sluice.bootstrap.embedded import Embedded, Settings, local_actor
from sluice.bootstrap.following import Follower
from sluice.ports.errors import NotFound
from sluice.ports.source import Tree
from sluice.ports.store import Actor, Obj, Ref
from sluice.reconcilers.sources.applying import Applied

NAMESPACE = "default"
PATIENCE = 30.0
ANA = Actor("ana@example.com", ("system:masters",))


def manifest(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Obj:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, **metadata}, "spec": dict(spec)}


def workflow(name: str = "hello", code: str = "output = 1", **metadata: Any) -> Obj:
    step = {"name": "a", "action": {"python": {"code": code}}}
    return manifest("Workflow", name, {"owner": "ana@example.com", "definition": {"steps": [step]}}, **metadata)


ENVIRONMENT = manifest("Environment", "local", {"type": "Sandbox"})


def state(value: str = "Active", name: str = "hello.local", **spec: Any) -> Obj:
    return manifest("EnvironmentState", name, {"state": value, **spec})


class Place:
    """``write`` files, ``follow`` them, and see what is there."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "flows"
        self.folder.mkdir()
        self.embedded = Embedded(Settings(home / "data", in_memory=True))
        self.embedded.start()
        self.embedded.ensure_namespace(NAMESPACE)
        self.world = dataclasses.replace(self.embedded.system.world, store=self.embedded.store.acting_as(local_actor()))
        self.store = self.embedded.store.acting_as(ANA)
        self.syncs: list[tuple[Tree, Applied]] = []
        self._synced = threading.Condition()
        self._followers: list[Follower] = []

    def close(self) -> None:
        for follower in self._followers:
            follower.stop()
        self.embedded.stop()

    # -- files ------------------------------------------------------------------------------------------------------
    def write(self, file: str, *objects: Obj) -> Path:
        """A file of JSON documents as YAML, put in place at once."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}")
        beside.write_text("\n---\n".join(json.dumps(obj, indent=1) for obj in objects))
        beside.rename(path)
        return path

    def follow(self, folder: Path | None = None) -> None:
        """Apply the folder and follow it."""
        source = DirectorySource(folder or self.folder, self.embedded.helper.call)
        follower = Follower(self.world, source, namespace=NAMESPACE, report=self._note)
        self._followers.append(follower)
        follower.start()

    def _note(self, tree: Tree, applied: Applied) -> None:
        with self._synced:
            self.syncs.append((tree, applied))
            self._synced.notify_all()

    def await_sync(self, what: Callable[[Tree, Applied], bool], since: int = 0) -> int:
        """Wait for a sync of which ``what`` holds; answers with the number of syncs until it."""
        with self._synced:
            found = self._synced.wait_for(lambda: any(what(*sync) for sync in self.syncs[since:]), PATIENCE)
            assert found, self.syncs
            return 1 + since + next(at for at, sync in enumerate(self.syncs[since:]) if what(*sync))

    def await_quiet(self) -> None:
        """Until there was no sync for longer than anything missing is waited for."""
        with self._synced:
            count = -1
            while count != len(self.syncs):
                count = len(self.syncs)
                self._synced.wait_for(lambda: count != len(self.syncs), 1.5)  # noqa: B023 - called within the loop

    # -- objects ----------------------------------------------------------------------------------------------------
    def get(self, kind: KindInfo, name: str, namespace: str = NAMESPACE) -> Obj | None:
        try:
            return self.store.get(Ref(kind, namespace if kind.namespaced else "", name))
        except NotFound:
            return None

    def spec(self, kind: KindInfo, name: str) -> Obj:
        obj = self.get(kind, name)
        return obj["spec"] if obj else {}

    def names(self, kind: KindInfo, namespace: str = NAMESPACE) -> list[str]:
        return [obj["metadata"]["name"] for obj in self.store.list(kind, namespace).items]

    def code(self, name: str = "hello") -> str:
        """The code of the draft's only step."""
        return str(self.spec(kinds.WORKFLOW, name)["definition"]["steps"][0]["action"]["python"]["code"])

    def live(self, name: str = "hello", namespace: str = NAMESPACE) -> str:
        obj = self.get(kinds.WORKFLOW, name, namespace)
        return str((obj or {}).get("status", {}).get("live", ""))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        tick = threading.Event()
        while not condition():
            assert time.monotonic() < end, f"{what}: {self.syncs}"
            tick.wait(0.01)

    def patch(self, kind: KindInfo, name: str, spec: Mapping[str, Any]) -> Obj:
        """As somebody with kubectl does."""
        return self.store.patch(Ref(kind, NAMESPACE, name), {"spec": dict(spec)}, manager="kubectl-patch")
