"""Publishing in bulk: a folder of workflows, all changed in one go, while runs keep starting beside it.

    python -m bench.publish                      # 1,000 workflows
    python -m bench.publish --workflows 10000    # how long the start takes, and how much memory

It drives the real ``sluice up FOLDER`` over HTTP and tells: seconds from the start to the first answer and to every
first version, seconds from the change to every second version, what one publish costs in reconciles, writes and syncs,
how quickly runs started meanwhile (one every 100 ms), and the memory at the end.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.definitions import NAMESPACE, NOTHING, NOW, chain, run, workflow
from bench.endings import Endings
from bench.figures import percentile
from bench.machine import machine
from bench.processes import memory
from sluice.api.kinds import API_VERSION

READY = "Sluice is ready at "
PATH = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}"
PATIENCE = 900.0
"""Seconds that anything may take."""
RUN_EVERY = 0.1
"""Seconds between two runs that are started beside the publish."""
COUNTED = {
    "workflow reconciles": 'controller_runtime_reconcile_total{controller="workflow"',
    "reconciles of all kinds": "controller_runtime_reconcile_total{",
    "writes": "sluice_store_operations_total",
    "syncs": "sluice_store_commits_total",
}


def write_folder(folder: Path, count: int, edition: int) -> None:
    """One file per workflow, of 1 KB; another ``edition`` differs in the code of a step."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        codes = [f"rows = [{{'id': n, 'edition': {edition}}} for n in range(10)]\noutput = rows", NOTHING, NOTHING]
        obj = workflow(f"w{number}", chain(codes), {"rows": "${ steps.s0.output }"})
        (folder / f"w{number}.json").write_text(json.dumps(obj, indent=1))
    probe = workflow("probe", chain([NOW, NOTHING, NOTHING]), {"began": "${ steps.s0.output }"})
    (folder / "probe.json").write_text(json.dumps(probe))


class Server:
    """``sluice up`` over a folder, and what is seen of it from outside."""

    def __init__(self, folder: Path, data: Path, endings: Endings) -> None:
        self._started = time.monotonic()
        command = [sys.executable, "-m", "sluice", "up", str(folder), "--data", str(data), "--listen", "127.0.0.1:0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._changed = threading.Condition()
        self._live: dict[str, str] = {}
        self._endings = endings
        self._address = self._ready()
        self.ready_after = time.monotonic() - self._started
        for resource, hear in (("workflows", self._workflow), ("workflowruns", self._endings.tell)):
            watch = self._open("GET", f"{PATH}/{resource}?watch=true")
            threading.Thread(target=self._watch, args=(watch, hear), daemon=True).start()

    def await_version(self, version: str, count: int) -> float:
        """Seconds since the start of the process until so many workflows have ``version`` in force."""
        with self._changed:
            reached = self._changed.wait_for(lambda: sum(v == version for v in self._live.values()) >= count, PATIENCE)
        if not reached:
            raise TimeoutError(f"not every workflow has {version} in force after {PATIENCE:g} s")
        return time.monotonic() - self._started

    def elapsed(self) -> float:
        """Seconds since the start of the process."""
        return time.monotonic() - self._started

    def start_probe(self) -> float:
        """One run; seconds until its first step ran."""
        (name,) = self._endings.names(1)
        asked = time.time()
        body = json.dumps(run("probe", name))
        with self._open("POST", f"{PATH}/workflowruns", body) as answer:
            answer.read()
        return float(self._endings.wait([name])[0]["status"]["outputs"]["began"]) - asked

    def figures(self) -> dict[str, float]:
        """The counters of ``COUNTED`` as they stand."""
        with self._open("GET", "/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {
            name: sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(prefix))
            for name, prefix in COUNTED.items()
        }

    def memory(self) -> float:
        """Megabytes of the program and its processes."""
        return memory([self._process.pid])

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.communicate(timeout=60)

    def _ready(self) -> tuple[str, int]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(READY):
                url = urlsplit(line.removeprefix(READY).strip())
                threading.Thread(target=self._process.stdout.read, daemon=True).start()
                return url.hostname or "", url.port or 0
        raise RuntimeError("sluice up ended before it was ready")

    def _open(self, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE)
        connection.request(method, path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.read().decode()[:300]}")
        return answer

    def _watch(self, answer: http.client.HTTPResponse, hear: Callable[[dict[str, Any]], None]) -> None:
        for line in answer:
            hear(json.loads(line)["object"])

    def _workflow(self, obj: dict[str, Any]) -> None:
        with self._changed:
            self._live[obj["metadata"]["name"]] = obj.get("status", {}).get("live", "")
            self._changed.notify()


@contextmanager
def serving(folder: Path, data: Path, endings: Endings) -> Iterator[Server]:
    """A server until the block ends; ``endings`` names its runs, each name once over the same ``data``."""
    server = Server(folder, data, endings)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def probing(server: Server) -> Iterator[list[float]]:
    """Start a run every 100 ms until the block ends; gives the list of their latencies in seconds."""
    found: list[float] = []
    stopped = threading.Event()

    def probe() -> None:
        while not stopped.wait(RUN_EVERY):
            found.append(server.start_probe())

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield found
    finally:
        stopped.set()
        thread.join()


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Start with ``count`` workflows, change them all, start again."""
    flows, data, endings = folder / "flows", folder / "data", Endings()
    write_folder(flows, count, 1)
    with serving(flows, data, endings) as server:
        first = server.await_version("v1", count + 1)
        told: dict[str, Any] = {"ready_s": server.ready_after, "first_versions_s": first}
        idle = [server.start_probe() for _ in range(20)]
        before = server.figures()
        with probing(server) as beside:
            changed = server.elapsed()
            write_folder(flows, count, 2)
            told["publish_s"] = server.await_version("v2", count) - changed
        spent = {name: value - before[name] for name, value in server.figures().items()}
        told["per_publish"] = {name: value / count for name, value in spent.items()}
        told["start_idle_ms"] = [percentile(idle, at) * 1e3 for at in (50, 99)]
        told["start_beside_ms"] = [percentile(beside, at) * 1e3 for at in (50, 99)]
        told["runs_beside"] = len(beside)
        told["memory_mb"] = server.memory()
    with serving(flows, data, endings) as server:
        server.await_version("v2", count)
        told["again_s"] = server.elapsed()
        told["again_ready_s"] = server.ready_after
        told["again_start_ms"] = statistics.median(server.start_probe() for _ in range(20)) * 1e3
        told["again_memory_mb"] = server.memory()
    return told


def lines(count: int, told: dict[str, Any]) -> list[str]:
    """What was measured, in words."""
    spent = ", ".join(f"{value:.2f} {name}" for name, value in told["per_publish"].items())
    return [
        f"{count} workflows: ready after {told['ready_s']:.2f} s, all first versions after {told['first_versions_s']:.1f} s",
        f"all changed at once: {told['publish_s']:.2f} s until all second versions are in force",
        f"one publish: {spent}",
        "a run's first step began after p50 / p99 ms: "
        + " / ".join(f"{value:.1f}" for value in told["start_idle_ms"])
        + f" alone, {' / '.join(f'{value:.1f}' for value in told['start_beside_ms'])}"
        + f" beside the publish ({told['runs_beside']} runs)",
        f"started again over {2 * count} versions: ready after {told['again_ready_s']:.2f} s, "
        f"runs start in {told['again_start_ms']:.1f} ms",
        f"memory: {told['memory_mb']:.0f} MB after the publish, {told['again_memory_mb']:.0f} MB when started again",
    ]


def main() -> None:
    """Measure and print; ``--json`` writes the figures down."""
    parser = argparse.ArgumentParser(description="publishing many workflows at once")
    parser.add_argument("--workflows", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--data", type=Path, default=Path("build/bench"), help="a folder on the disk to be measured")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=given.data))
    try:
        told = measure(folder, given.workflows)
        print(f"{machine(folder)}\n" + "\n".join(lines(given.workflows, told)))
    finally:
        shutil.rmtree(folder)
    if given.json:
        given.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
