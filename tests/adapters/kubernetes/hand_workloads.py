"""Jobs and pods of a cluster that a test plays by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from sluice.api.environment import Launch
from sluice.ports.errors import AlreadyExists, PortError, Unavailable
from sluice.ports.store import Obj

_uids = (f"uid-{number}" for number in itertools.count(1))


class HandWorkloads:
    """The part of ``Workloads`` that attempts use. ``refuses`` is raised by the next creation, ``away`` by everything."""

    def __init__(self) -> None:
        self.made: dict[str, Obj] = {}
        self.pods: list[Obj] = []
        self.deleted: list[str] = []
        self.complaint = ""
        self.printed = b""
        self.refuses: PortError | None = None
        self.away = False

    def create(self, manifest: Obj) -> Obj:
        self._require()
        if self.refuses is not None:
            raise self.refuses
        name = manifest["metadata"]["name"]
        if name in self.made:
            raise AlreadyExists(name)
        metadata = {"uid": next(_uids), "creationTimestamp": "2026-03-01T08:00:00Z", **manifest["metadata"]}
        self.made[name] = {**manifest, "metadata": metadata}
        return self.made[name]

    def find(self, launch: Launch, namespace: str, name: str) -> Obj | None:
        self._require()
        return self.made.get(name)

    def delete(self, launch: Launch, namespace: str, name: str) -> None:
        self._require()
        self.deleted.append(name)
        self.made.pop(name, None)

    def pods_of(self, namespace: str, job: str) -> list[Obj]:
        self._require()
        return [pod for pod in self.pods if pod["metadata"]["name"].startswith(job)]

    def complaints(self, namespace: str, uid: str) -> Iterator[str]:
        self._require()
        yield from [self.complaint] if self.complaint else []

    def namespace(self, name: str) -> Obj | None:
        self._require()
        return {"metadata": {"name": name}}

    def log(self, namespace: str, pod: str, container: str, *, lines: int) -> bytes:
        self._require()
        return self.printed

    def pod_of(self, job: str, *, of: str = "", deleted: str = "", **status: Any) -> Obj:
        """A pod of a Job as a watch tells of it; ``of`` is the uid of another Job of that name."""
        made = self.made[job]
        metadata = {
            "name": f"{job}-abcde",
            "namespace": made["metadata"]["namespace"],
            "uid": next(_uids),
            "creationTimestamp": "2026-03-01T08:00:00Z",
            "labels": made["metadata"]["labels"],
            "ownerReferences": [{"uid": of or made["metadata"]["uid"]}],
        }
        metadata |= {"deletionTimestamp": deleted} if deleted else {}
        return {"metadata": metadata, "spec": {"nodeName": "node-7"}, "status": {"phase": "Pending", **status}}

    def _require(self) -> None:
        if self.away:
            raise Unavailable("the API server does not answer")
