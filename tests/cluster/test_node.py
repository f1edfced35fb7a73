"""On a real node pods run with a runner's restrictions, names resolve, limits hold, and machines break."""

from __future__ import annotations

import json
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.cluster.cluster import Running, Shape, cluster
from tests.cluster.traces import traces_of
from tests.cluster.workloads import TOKEN_FOLDER, USER, Workloads
from tests.contracts.store.builders import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.node]

CONFINED = """\
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(os.getuid(), status["CapEff"].strip(), status["Seccomp"].strip(), status["NoNewPrivs"].strip())
open("/scratch/kept", "w").write("x")
try:
    open("/forbidden", "w")
except OSError as error:
    print(error)
"""
# A pod is ready a moment before every node sends a Service's calls to it: until then they are refused.
FETCH = """\
import time, urllib.error, urllib.request
for attempt in range(30):
    try:
        print(urllib.request.urlopen({url!r}, timeout=10).read().decode().strip())
        break
    except urllib.error.URLError as error:
        refused = error
        time.sleep(1)
else:
    raise refused
"""
GREEDY = "x = bytearray(300_000_000)"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
LOSS_S = 15


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("node")
    with cluster(folder, Shape(nodes=1, node_loss_s=LOSS_S)) as running:
        yield running
    assert not traces_of(folder, running.network, running.nodes)


@pytest.fixture
def workloads(running: Running) -> Iterator[Workloads]:
    made = Workloads(running.kubectl, f"node-{uuid.uuid4().hex[:8]}")
    made.kubectl("create", "namespace", made.namespace)
    made.kubectl("label", "namespace", made.namespace, "pod-security.kubernetes.io/enforce=restricted")
    eventually(lambda: "default" in made("get", "serviceaccounts"), "pods can be made")
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def test_a_restricted_pod_runs_as_nobody_and_writes_only_where_it_may(workloads: Workloads) -> None:
    workloads.run_python("confined", CONFINED)
    assert workloads.ended("confined")["exitCode"] == 0, workloads.logs("confined")
    holds, refused = workloads.logs("confined").splitlines()
    assert holds == f"{USER} 0000000000000000 2 1", "its user, no capability, a filter of calls, and no way to more"
    assert refused == "[Errno 30] Read-only file system: '/forbidden'"


def test_the_image_has_sluice_in_it(workloads: Workloads) -> None:
    workloads.run_python(
        "version", "import importlib.metadata as m, sluice.runner; print(m.version('sluice-controller'))"
    )
    assert workloads.ended("version")["exitCode"] == 0
    assert workloads.logs("version")


def test_a_pod_reaches_a_service_by_its_name_and_so_does_this_machine_by_its_address(workloads: Workloads) -> None:
    workloads.serve("shop", "open")
    name = f"shop-web.{workloads.namespace}.svc.cluster.local"
    for job, url in (("whole", f"http://{name}/"), ("short", "http://shop-web/")):
        workloads.run_python(job, FETCH.format(url=url))
        assert workloads.ended(job)["exitCode"] == 0, workloads.logs(job)
        assert workloads.logs(job) == "open"
    address = workloads("get", "service", "shop-web", "-o", "jsonpath={.spec.clusterIP}")
    with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
        assert answer.read().strip() == b"open"


def test_a_pod_reaches_what_runs_on_this_machine(running: Running, workloads: Workloads) -> None:
    assert running.network

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"hello {self.client_address[0]}".encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer((running.network.host, 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        workloads.run_python("caller", FETCH.format(url=f"http://{running.network.host}:{server.server_port}/"))
        assert workloads.ended("caller")["exitCode"] == 0, workloads.logs("caller")
        server.shutdown()
    pod = workloads("get", "pods", "--selector=job-name=caller", "-o", "jsonpath={.items[0].status.podIP}")
    assert workloads.logs("caller") == f"hello {pod}", "it is seen by its own address"


def test_a_pods_token_for_another_audience_names_the_pod(workloads: Workloads) -> None:
    workloads.run_python("bearer", f"print(open('{TOKEN_FOLDER}/token').read())")
    workloads.ended("bearer")
    asked = json.dumps({**REVIEW, "spec": {"token": workloads.logs("bearer"), "audiences": ["sluice"]}})
    said = json.loads(workloads.kubectl("create", "-o", "json", "-f", "-", stdin=asked))["status"]
    assert said["authenticated"], "a pod that has ended is still an object"
    names = workloads("get", "pods", "--selector=job-name=bearer", "-o", "jsonpath={.items[*].metadata.name}")
    assert said["user"]["extra"]["authentication.kubernetes.io/pod-name"] == [names]


def test_a_pod_that_takes_more_memory_than_its_limit_is_killed_for_it(workloads: Workloads) -> None:
    workloads.run_python("greedy", GREEDY, memory="64Mi")
    ended = workloads.ended("greedy")
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_node_whose_cable_is_out_goes_on_by_itself(running: Running, workloads: Workloads) -> None:
    (node,) = running.nodes
    workloads.run_python("ticker", "import time\nfor second in range(600): print(second, flush=True); time.sleep(1)")
    eventually(lambda: workloads.phase_of("ticker") == "Running", "it runs")
    node.disconnect()
    running.kubectl("wait", "--for=condition=Ready=Unknown", "--timeout=60s", f"node/{node.name}")
    node.connect()
    running.kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"node/{node.name}")
    counted = [int(line) for line in workloads.logs("ticker").splitlines()]
    assert counted == list(range(len(counted))), "it never stopped"
    assert len(counted) > LOSS_S


def test_the_programs_of_a_node_crash_and_its_pods_live(running: Running, workloads: Workloads) -> None:
    (node,) = running.nodes
    workloads.serve("survivor", "open")
    for program in (node.kubelet, node.containerd, node.proxy):
        program.kill()
        program.start()
    workloads.run_python("after", FETCH.format(url="http://survivor-web/"))
    assert workloads.ended("after")["exitCode"] == 0, workloads.logs("after")
    restarts = workloads("get", "pod", "survivor", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
    assert restarts == "0"


def test_a_node_without_power_is_lost_and_comes_back(running: Running, workloads: Workloads) -> None:
    (node,) = running.nodes
    workloads.run_python("sleeper", "import time; time.sleep(600)")
    eventually(lambda: workloads.phase_of("sleeper") == "Running", "it runs")
    node.kill()
    running.kubectl("wait", "--for=condition=Ready=Unknown", "--timeout=60s", f"node/{node.name}")
    node.start()
    running.kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"node/{node.name}")
    eventually(lambda: workloads.phase_of("sleeper") != "Running", "what ran there has ended")
    workloads.run_python("after", "print('again')")
    assert workloads.ended("after")["exitCode"] == 0
