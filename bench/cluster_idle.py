"""What a controller costs that has nothing to do: 10,000 workflows in five namespaces, each with a version and an ended run.

    python -m bench.cluster_idle --workflows 10000

The workflows are published by the controller. The ended runs are written as the controller would have left them, while it
is away; then it is started, and looked at for a minute.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
from tests.cluster.control_plane import CONTROLLER
from tests.cluster.controllers import Controller, controlling

from bench.cluster import say
from bench.cluster_site import Site, module, site
from bench.cluster_sluice import FAST, wait_for_versions
from bench.definitions import NOTHING, chain, run, workflow
from bench.machine import machine
from bench.processes import descendants, memory, parents, spent
from sluice.adapters.kubernetes.addresses import collection, item
from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.transport import Limits, Transport
from sluice.api import kinds
from sluice.ports.store import Obj, Ref

NAMESPACES = 5
"""A namespace keeps 2,000 ended runs."""
CREATORS = 8
SETTLED_S = 30.0
WATCHED_S = 60.0
PATIENCE_S = 3600.0


def measure(where: Site, count: int) -> dict[str, Any]:
    """Fill the cluster and look."""
    folder = where.folder / "idle"
    folder.mkdir()
    names = [f"idle-{number}" for number in range(min(NAMESPACES, count))]
    each = count // len(names)
    for name in names:
        where.create_namespace(name)
        where.store.create(environment(name))
    options = {"watch_namespaces": "", **FAST}
    player = module("tests.cluster.player", folder, f"--kubeconfig={where.running.plane.kubeconfig}")
    player.start()
    told: dict[str, Any] = {"workflows": each * len(names)}
    with controlling(where.plane, folder, name="first", ledger=f"sqlite:///{folder}/ledger.db", **options) as first:
        begun = time.monotonic()
        _post(where.transport, kinds.WORKFLOW, (_workflow(name, n) for name in names for n in range(each)))
        say(f"{told['workflows']} workflows are written after {time.monotonic() - begun:.0f} s")
        for name in names:
            wait_for_versions(where, name, patience_s=PATIENCE_S)
        told["published_s"] = time.monotonic() - begun
        say(f"they are published after {told['published_s']:.0f} s")
        model = _ended_run(where, names[0])
        told["megabytes_after_publish"] = memory([first.pid])
    player.stop()
    _write_ended(where, model, [(name, n) for name in names for n in range(each)])
    with controlling(where.plane, folder, name="second", ledger=f"sqlite:///{folder}/ledger.db", **options) as second:
        time.sleep(SETTLED_S)
        return told | _look(second)


def environment(namespace: str) -> Obj:
    """One in which every workflow is active."""
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": "Environment",
        "metadata": {"name": "local", "namespace": namespace},
        "spec": {"type": "Sandbox", "defaultState": "Active", "launch": "Job"},
    }


def _look(controller: Controller) -> dict[str, Any]:
    pids = descendants([controller.pid], parents())
    before, begun = sum(spent(pid).seconds for pid in pids), time.monotonic()
    asked = controller.metric("rest_client_requests_total")
    time.sleep(WATCHED_S)
    seconds = time.monotonic() - begun
    return {
        "objects": controller.metric("sluice_objects"),
        "percent_of_a_core": (sum(spent(pid).seconds for pid in pids) - before) / seconds * 100,
        "requests_a_minute": (controller.metric("rest_client_requests_total") - asked) / seconds * 60,
        "megabytes": memory([controller.pid]),
    }


def _workflow(namespace: str, number: int) -> Obj:
    made = workflow(f"w{number}", chain([NOTHING]))
    made["metadata"]["namespace"] = namespace
    return made


def _ended_run(where: Site, namespace: str) -> Obj:
    """A real one."""
    made = run("w0", "model")
    made["metadata"]["namespace"] = namespace
    where.store.create(made)
    deadline = time.monotonic() + 120
    while not ((found := where.store.get(Ref(kinds.WORKFLOW_RUN, namespace, "model"))).get("status") or {}).get(
        "endedAt"
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("a run did not end in two minutes")
        time.sleep(0.2)
    return found


def _write_ended(where: Site, model: Obj, places: list[tuple[str, int]]) -> None:
    """Copies of the run, one for each workflow, written as the controller writes them."""
    credentials = from_kubeconfig(where.running.plane.kubeconfig, CONTROLLER)
    transport = Transport(credentials, Limits(qps=10_000, burst=20_000))
    metadata = {
        key: model["metadata"][key] for key in ("labels", "annotations", "finalizers") if key in model["metadata"]
    }

    def write(place: tuple[str, int]) -> None:
        namespace, number = place
        copied = json.loads(json.dumps(model).replace('"w0', f'"w{number}'))
        copied["metadata"] = {**metadata, "name": f"ended-{number}", "namespace": namespace}
        path = collection(kinds.WORKFLOW_RUN, namespace)
        made = orjson.loads(transport.send("POST", path, body=orjson.dumps(copied)))
        made["status"] = copied["status"]
        ref = Ref(kinds.WORKFLOW_RUN, namespace, f"ended-{number}")
        transport.send("PUT", f"{item(ref)}/status", body=orjson.dumps(made))

    with ThreadPoolExecutor(CREATORS) as threads:
        for _ in threads.map(write, places):
            pass
    transport.close()


def _post(transport: Transport, kind: kinds.KindInfo, objects: Iterable[Obj]) -> None:
    def post(obj: Obj) -> None:
        transport.send("POST", collection(kind, obj["metadata"]["namespace"]), body=orjson.dumps(obj))

    with ThreadPoolExecutor(CREATORS) as threads:
        for _ in threads.map(post, objects):
            pass


def main() -> None:
    """Measure and print; ``--json`` writes the figures down."""
    parser = argparse.ArgumentParser(description="an idle controller with very many objects")
    parser.add_argument("--workflows", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--data", type=Path, default=Path("build/bench"))
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.data.absolute()) as name:
        described = machine(Path(name))
        with site(Path(name) / "site") as where:
            told = measure(where, given.workflows)
    print(f"{described}\n{json.dumps(told, indent=1)}")
    if given.json:
        given.json.write_text(json.dumps({"machine": described, **told}, indent=1))


if __name__ == "__main__":
    main()
