"""Sluice as a library in this process: its real embedded program, without the server."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.definitions import NAMESPACE, clock, run, workflows
from bench.endings import Endings
from bench.workloads import CLIENTS, serve
from sluice.api import kinds
from sluice.bootstrap.embedded import Embedded, Settings
from sluice.ports.store import WatchEvent


class SluiceEmbedded:
    """One embedded controller over a file in ``folder``, with the first workflow published."""

    def __init__(self, folder: Path) -> None:
        self.embedded = Embedded(Settings(folder))
        self.embedded.start()
        self.embedded.ensure_environment(NAMESPACE)
        self._endings = Endings()
        self._clients = ThreadPoolExecutor(CLIENTS, thread_name_prefix="client")
        self._publish([clock()])
        self.embedded.store.subscribe([kinds.WORKFLOW_RUN], self._hear)

    def prepare(self) -> None:
        """See the side."""
        self._publish(workflows())

    def many(self, count: int) -> None:
        """See the side."""
        names = self._endings.names(count)
        list(self._clients.map(lambda name: self.embedded.store.create(run("three", name)), names))
        self._endings.wait(names)

    def chain(self) -> None:
        """See the side."""
        self._one("chain")

    def fan(self) -> None:
        """See the side."""
        self._one("fan")

    def one(self) -> float:
        """See the side."""
        return float(self._one("clock")["status"]["outputs"]["began"])

    def pids(self) -> list[int]:
        """See the side."""
        return [os.getpid()]

    def close(self) -> None:
        """See the side."""
        self._clients.shutdown()
        self.embedded.stop()

    def _one(self, workflow: str) -> dict[str, Any]:
        names = self._endings.names(1)
        self.embedded.store.create(run(workflow, names[0]))
        return self._endings.wait(names)[0]

    def _hear(self, event: WatchEvent) -> None:
        if b'"endedAt"' in event.raw:
            self._endings.tell(event.object)

    def _publish(self, objects: Sequence[dict[str, Any]]) -> None:
        """Apply the workflows and wait until each has a version in force."""
        missing = {obj["metadata"]["name"] for obj in objects}
        published = threading.Event()

        def hear(event: WatchEvent) -> None:
            if event.object.get("status", {}).get("stable"):
                missing.discard(event.object["metadata"]["name"])
                if not missing:
                    published.set()

        subscription = self.embedded.store.subscribe([kinds.WORKFLOW], hear)
        for obj in objects:
            self.embedded.store.create(obj)
        if not published.wait(30):
            raise TimeoutError(f"not published: {', '.join(sorted(missing))}")
        subscription.close()


if __name__ == "__main__":
    serve(SluiceEmbedded)
