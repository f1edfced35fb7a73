"""Where NetworkPolicies bind, a runner's pod reaches names, the controller and what is public; and nobody reaches it.

That something is closed is only ever told beside a pod without a policy, or the same pod without its policy, for which
the same address is open.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api import kinds
from sluice.api.kinds import NAMESPACE
from sluice.ports.store import Obj, Ref
from tests.cluster.cluster import Running, Shape, cluster
from tests.cluster.deployed import DEPLOYMENT, deploy
from tests.cluster.deployed import NAMESPACE as SYSTEM
from tests.cluster.images import BUSYBOX
from tests.cluster.places import Place
from tests.cluster.traces import traces_of
from tests.cluster.workloads import Workloads
from tests.cluster.workspace import Workspace, workspace
from tests.contracts.store.builders import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.node]

LINK_LOCAL, PUBLIC = "169.254.169.254", "203.0.113.80"
"""Addresses of the node, where clouds tell credentials, and of a net that nobody has."""
HTTP, HTTPS, METRICS, UNNAMED, DNS = 8080, 8443, 8080, 9000, 53
SERVICE = f"{DEPLOYMENT}.{SYSTEM}.svc.cluster.local"
SMALL = {"runner": {"resources": {"limits": {"memory": "96Mi"}, "requests": {"cpu": "20m"}}}}
WAIT_FOR_CALLS = f"echo held > /tmp/index.html; exec httpd -f -p {HTTP} -h /tmp"
LIMIT = 100
SHUT = {
    "name": "shut",  # an answer is what fails and is tried again, until there is none
    "action": {"http": {"url": f"http://${{ payload.closed }}:{HTTP}/", "successCodes": [418]}},
    "retry": {
        "limit": LIMIT,
        "when": '${ error.reason == "HttpStatus" }',
        "backoff": {"duration": "200ms", "factor": 1},
    },
    "onError": {"action": "Continue"},
}
REACH = {
    "name": "reach",
    "needs": ["shut"],
    "when": f"${{ steps.shut.attempts <= {LIMIT} }}",
    "action": {"http": {"url": f"http://${{ payload.open }}:{HTTP}/"}},
}
LATER = {
    "name": "later",
    "needs": ["shut"],
    "action": {"http": {"url": f"http://${{ payload.open }}:{HTTP}/later"}},
    "retry": {"limit": LIMIT, "when": "${ error.status == 404 }", "backoff": {"duration": "500ms", "factor": 1}},
}
CALL = f"""\
while nc -w 3 "$CLOSED" {HTTP} -e /bin/true; do sleep 0.2; done
nc -w 3 "$OPEN" {HTTP} -e /bin/true
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Sluice on a node where policies bind."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "plane").mkdir()
    with cluster(folder / "plane", Shape(nodes=1, policies=True)) as running:
        deploy(running.kubectl, folder / "ledger")
        yield running
    assert not traces_of(folder / "plane", running.network, running.nodes)


@pytest.fixture(scope="module")
def shops(running: Running) -> dict[str, Place]:
    """Pods without a policy in a namespace of their own, each of which answers over HTTP."""
    free = Workloads(running.kubectl, f"free-{uuid.uuid4().hex[:8]}")
    free.kubectl("create", "namespace", free.namespace)
    eventually(lambda: "default" in free("get", "serviceaccounts"), "pods can be made")
    for name in ("shop", "vault"):
        free.serve(name, name)
    return {name: Place(free.kubectl, free.namespace, name) for name in ("shop", "vault")}


@pytest.fixture(scope="module")
def space(running: Running, shops: dict[str, Place]) -> Iterator[Workspace]:
    """A workspace whose Environment ``local`` names nothing, and ``named`` the shop."""
    transport = Transport(from_kubeconfig(running.plane.kubeconfig))
    with workspace(KubernetesStore(transport), f"t{uuid.uuid4().hex[:8]}", environment=SMALL) as made:
        restricted = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        made.store.patch(Ref(NAMESPACE, "", made.namespace), restricted)
        egress = [{"cidr": f"{shops['shop'].address}/32", "ports": [HTTP]}]
        named = {"type": "Sandbox", "defaultState": "Active", **SMALL, "egress": egress}
        made.apply(kinds.ENVIRONMENT, "named", named)
        made.apply_workflow("hello", 'output = "Hello"')
        made.apply_workflow("reach", "", steps=[SHUT, REACH], outputs={"got": "${ steps.reach.output.body }"})
        made.apply_workflow("later", "", steps=[SHUT, LATER])
        for name, script in (("hold", WAIT_FOR_CALLS), ("call", CALL)):
            variables = {"CLOSED": "${ payload.closed }", "OPEN": "${ payload.open }"} if name == "call" else {}
            container = {"image": BUSYBOX, "script": script, "env": variables}
            made.apply_workflow(name, "", steps=[{"name": "tool", "action": {"container": container}}])
        for workflow in ("hello", "reach", "later", "hold", "call"):
            made.wait_published(workflow, "v1")
        yield made
    transport.close()


@pytest.fixture(scope="module")
def held(running: Running, space: Workspace, shops: dict[str, Place]) -> Place:
    """The pod of a container step that goes on and answers over HTTP, once its policy binds."""
    run = space.start("hold")
    label = f"sluice.dev/run-uid={space.run(run)['metadata']['uid']}"

    def names() -> list[str]:
        words = ("get", "pods", f"--namespace={space.namespace}", f"--selector={label}", "-o", "json")
        pods = json.loads(running.kubectl(*words))["items"]
        ready = [pod for pod in pods if pod["metadata"]["labels"]["sluice.dev/unit"].startswith("steps.")]
        return [pod["metadata"]["name"] for pod in ready if pod["status"]["phase"] == "Running"]

    (name,) = space.wait_for(names, "the step runs")
    place = Place(running.kubectl, space.namespace, name)
    eventually(lambda: not place.reaches(shops["vault"].address, HTTP), "its policy binds")
    return place


@contextmanager
def without(running: Running, namespace: str, name: str) -> Iterator[None]:
    """As long as the block lasts that policy is not there."""
    words = (f"--namespace={namespace}", f"networkpolicy/{name}")
    policy: Obj = json.loads(running.kubectl("get", *words, "-o", "json"))
    kept = {key: policy["metadata"][key] for key in ("name", "namespace", "labels")}
    running.kubectl("delete", *words)
    try:
        yield
    finally:
        again = {"apiVersion": policy["apiVersion"], "kind": policy["kind"], "metadata": kept, "spec": policy["spec"]}
        running.kubectl("create", "-f", "-", stdin=json.dumps(again))


def addresses(shops: dict[str, Place]) -> dict[str, str]:
    """The payload of runs."""
    return {"closed": shops["vault"].address, "open": shops["shop"].address}


def outcomes(space: Workspace, workflow: str, shops: dict[str, Place]) -> dict[str, Any]:
    """The status of a run in each environment. It tries the vault until that is closed, and then the shop."""
    payload = addresses(shops)
    started = {each: space.start(workflow, payload=payload, environment=each) for each in ("local", "named")}
    return {each: space.wait_ended(run)["status"] for each, run in started.items()}


def test_a_run_of_code_steps_succeeds(space: Workspace) -> None:
    assert space.wait_ended(space.start("hello"))["status"]["phase"] == "Succeeded"


def test_a_runner_resolves_names_and_reaches_the_controller_there(held: Place) -> None:
    found = held.says(f"nslookup -type=a {SERVICE} | sed -n 's/^Address: //p'").splitlines()[-1]
    assert held.reaches(found, HTTPS)


def test_of_the_controller_a_runner_reaches_nothing_else(held: Place, shops: dict[str, Place]) -> None:
    (controller,) = held.kubectl(
        *("get", "pods", f"--namespace={SYSTEM}", f"--selector=app.kubernetes.io/name={DEPLOYMENT}"),
        *("-o", "jsonpath={.items[*].status.podIP}"),
    ).split()
    assert held.reaches(controller, HTTPS)
    assert shops["shop"].reaches(controller, METRICS)
    assert not held.reaches(controller, METRICS)


def test_a_container_step_reaches_no_pod_of_the_cluster(held: Place, shops: dict[str, Place]) -> None:
    vault = shops["vault"].address
    assert shops["shop"].reaches(vault, HTTP)
    assert not held.reaches(vault, HTTP)


def test_nobody_reaches_the_pod_of_a_step(held: Place, shops: dict[str, Place]) -> None:
    assert held.reaches("127.0.0.1", HTTP)
    assert not shops["shop"].reaches(held.address, HTTP)


def test_without_its_policy_the_same_pod_reaches_and_is_reached(
    running: Running, held: Place, shops: dict[str, Place]
) -> None:
    vault, own = shops["vault"].address, held.address
    with without(running, held.namespace, "sluice-runner-local"):
        eventually(lambda: held.reaches(vault, HTTP), "it reaches out")
        eventually(lambda: shops["shop"].reaches(own, HTTP), "it is reached")
    eventually(lambda: not held.reaches(vault, HTTP), "it reaches nobody")
    eventually(lambda: not shops["shop"].reaches(own, HTTP), "nobody reaches it")


def test_what_the_environment_names_is_reached_by_an_http_step_and_nothing_beside_it(
    space: Workspace, shops: dict[str, Place]
) -> None:
    status = outcomes(space, "reach", shops)
    assert (status["named"]["phase"], status["named"].get("outputs")) == ("Succeeded", {"got": "shop\n"})
    failure = status["local"]["failure"]
    assert (failure["step"], failure["reason"]) == ("reach", "HttpUnreachable")


def test_what_the_environment_names_is_reached_by_a_container_step_and_nothing_beside_it(
    space: Workspace, shops: dict[str, Place]
) -> None:
    status = outcomes(space, "call", shops)
    assert (status["named"]["phase"], status["named"].get("failure")) == ("Succeeded", None)
    failure = status["local"]["failure"]
    assert failure["reason"] == "ContainerFailed"
    assert "refused" in failure["logTail"]


def test_a_runner_for_which_the_policy_binds_finds_the_controller_that_comes_next(
    running: Running, space: Workspace, shops: dict[str, Place]
) -> None:
    run = space.start("later", payload=addresses(shops), environment="named")

    def is_at_it() -> bool:
        steps = (space.run(run).get("status") or {}).get("steps") or ()
        return "later" in {step["name"] for step in steps}

    space.wait_for(is_at_it, "its neighbour is closed for it")
    system = f"--namespace={SYSTEM}"
    running.kubectl("delete", "pods", system, f"--selector=app.kubernetes.io/name={DEPLOYMENT}")
    running.kubectl("rollout", "status", system, f"deployment/{DEPLOYMENT}", "--timeout=60s")
    shops["shop"].says("echo later > /tmp/later")
    assert space.wait_ended(run)["status"]["phase"] == "Succeeded"


def test_the_api_server_is_closed(running: Running, held: Place, shops: dict[str, Place]) -> None:
    server = urlsplit(running.plane.server)
    service = running.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
    assert server.hostname
    assert server.port
    for host, port in ((server.hostname, server.port), (service, 443)):
        assert shops["shop"].reaches(host, port)
        assert not held.reaches(host, port)


@pytest.fixture(scope="module")
def beside(running: Running, shops: dict[str, Place]) -> None:
    """A server on the node's own network, at an address of the link and at a public one."""
    (node,) = running.nodes
    for address in (LINK_LOCAL, PUBLIC):
        node.run("ip", "address", "add", f"{address}/32", "dev", "lo")
    listening = " ".join(f"httpd -p {LINK_LOCAL}:{port} -h /tmp;" for port in (80, DNS))
    command = f"{listening} exec httpd -f -p {PUBLIC}:80 -h /tmp"
    container = {"name": "main", "image": BUSYBOX, "imagePullPolicy": "Never", "command": ["sh", "-c", command]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "cloud"},
        "spec": {"hostNetwork": True, "terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    shop = shops["shop"]
    shop.kubectl("create", f"--namespace={shop.namespace}", "-f", "-", stdin=json.dumps(pod))
    for address in (LINK_LOCAL, PUBLIC):
        eventually(lambda address=address: shop.reaches(address, 80), f"{address} answers")  # type: ignore[misc]


@pytest.mark.usefixtures("beside")
def test_addresses_of_the_link_are_closed_and_public_ones_are_open(held: Place) -> None:
    assert not held.reaches(LINK_LOCAL, 80)
    assert held.reaches(PUBLIC, 80)


@pytest.mark.usefixtures("beside")
def test_names_are_asked_of_whoever_answers_on_their_port(held: Place) -> None:
    """A cluster may have a cache on each node, at an address of the link."""
    assert held.reaches(LINK_LOCAL, DNS)


def test_of_the_controller_s_pod_only_its_two_ports_are_open(running: Running, shops: dict[str, Place]) -> None:
    system, shop = f"--namespace={SYSTEM}", shops["shop"]
    (name,) = running.kubectl(
        *("get", "pods", system, f"--selector=app.kubernetes.io/name={DEPLOYMENT}"),
        *("-o", "jsonpath={.items[*].metadata.name}"),
    ).split()
    controller = Place(running.kubectl, SYSTEM, name).address
    running.kubectl(
        *("debug", system, name, f"--image={BUSYBOX}", "--profile=restricted", "--container=listener"),
        *("--", "httpd", "-f", "-p", str(UNNAMED)),
    )
    with without(running, SYSTEM, DEPLOYMENT):
        eventually(lambda: shop.reaches(controller, UNNAMED), "something listens there")
    eventually(lambda: not shop.reaches(controller, UNNAMED), "the policy binds")
    assert shop.reaches(controller, HTTPS)
    assert shop.reaches(controller, METRICS)
