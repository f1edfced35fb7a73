"""Sluice as people start it: ``sluice up``, with runs posted over the Kubernetes protocol and a watch for their ends."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.definitions import NAMESPACE, clock, run, workflows
from bench.endings import Endings
from bench.workloads import CLIENTS, serve
from sluice.api.kinds import API_VERSION

READY = "Sluice is ready at "
PATH = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}"


class SluiceHttp:
    """A server in a process of its own over a file in ``folder``, with the first workflow published."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "sluice", "up", "--data", str(folder), "--listen", "127.0.0.1:0"]
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._address = self._ready()
        self._endings = Endings()
        self._local = threading.local()
        self._clients = ThreadPoolExecutor(CLIENTS)
        self._publish([clock()])
        # It has to be ready before the first run is posted, so it is opened here and read on its own thread.
        watch = self._open(f"{PATH}/workflowruns?watch=true")
        threading.Thread(target=self._watch, args=(watch,), daemon=True).start()

    def prepare(self) -> None:
        """See the side."""
        self._publish(workflows())

    def many(self, count: int) -> None:
        """See the side."""
        names = self._endings.names(count)
        list(self._clients.map(lambda name: self._post("workflowruns", run("three", name)), names))
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
        """The server, not this client."""
        return [self._server.pid]

    def close(self) -> None:
        """See the side."""
        self._clients.shutdown()
        self._server.terminate()
        self._server.wait(30)

    def _one(self, workflow: str) -> dict[str, Any]:
        names = self._endings.names(1)
        self._post("workflowruns", run(workflow, names[0]))
        return self._endings.wait(names)[0]

    def _ready(self) -> tuple[str, int]:
        if self._server.stdout is None:
            raise RuntimeError("the server was started without a pipe")
        for line in self._server.stdout:
            if line.startswith(READY):
                url = urlsplit(line.removeprefix(READY).strip())
                return url.hostname or "", url.port or 0
        raise RuntimeError("sluice up ended before it was ready")

    def _publish(self, objects: Sequence[dict[str, Any]]) -> None:
        """Apply the workflows and wait until each has a version in force."""
        for obj in objects:
            self._post("workflows", obj)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            items = self._call("GET", f"{PATH}/workflows")["items"]
            if all(item.get("status", {}).get("stable") for item in items):
                return
            time.sleep(0.005)
        raise TimeoutError("the workflows were not published within 30 s")

    def _post(self, resource: str, obj: dict[str, Any]) -> Any:
        return self._call("POST", f"{PATH}/{resource}", json.dumps(obj))

    def _call(self, method: str, path: str, body: str | None = None) -> Any:
        """One request over this thread's connection. RuntimeError with the server's words when it is refused."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(*self._address)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {answer.get('message')}")
        return answer

    def _open(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(*self._address)
        connection.request("GET", path)
        return connection.getresponse()

    def _watch(self, response: http.client.HTTPResponse) -> None:
        for line in response:
            if b'"endedAt"' in line:
                self._endings.tell(json.loads(line)["object"])


if __name__ == "__main__":
    serve(SluiceHttp)
