"""Nothing of a real node is left on this machine, also when the process that had it is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cluster.cluster import Shape, prepare
from tests.cluster.installation import ROOT
from tests.cluster.network import Network
from tests.cluster.sharing import GIVEN
from tests.cluster.traces import shared_folders, traces_of
from tests.contracts.store.builders import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.node]

OWNER = """\
import json, sys
from pathlib import Path
from tests.cluster.cluster import Shape, cluster
from tests.cluster.workloads import Workloads
with cluster(Path(sys.argv[1]), Shape(nodes=1, policies=True)) as running:
    pods = Workloads(running.kubectl, "default")
    pods.serve("web", "open")
    told = {"network": running.network.number, "node": running.nodes[0].name, "cgroup": running.nodes[0].cgroup}
    print(json.dumps(told), flush=True)
    sys.stdin.read()
"""


GUEST = """\
import sys
from tests.cluster.cluster import Shape
from tests.cluster.sharing import shared
with shared(sys.argv[1], Shape(nodes=1)) as plane:
    print(plane.host, flush=True)
    sys.stdin.read()
"""
NODE = SimpleNamespace(name="node-1", cgroup="unknown")


def test_nothing_is_left_of_a_shared_cluster_when_its_last_guest_is_killed() -> None:
    run = f"traces-{uuid.uuid4().hex[:8]}"
    prepare(Shape(nodes=1))
    environment = {name: value for name, value in os.environ.items() if name != GIVEN}
    guest = subprocess.Popen(
        [sys.executable, "-c", GUEST, run],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert guest.stdout
    network = Network(int(guest.stdout.readline().split(".")[1]))
    (folder,) = Path(tempfile.gettempdir()).glob(f"sluice-cluster-{run}-*")
    assert len(traces_of(folder, network, [NODE])) > 10
    guest.kill()
    guest.communicate()
    eventually(lambda: not traces_of(folder, network, [NODE]), "it is all gone")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name leaves room for a kubelet's sockets, whose whole path has at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="traces-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
def test_nothing_is_left_of_a_node_with_a_pod_on_it(short: Path, killed: bool) -> None:
    before = shared_folders()
    prepare(Shape(nodes=1, policies=True))
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(short)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    told = json.loads(owner.stdout.readline())
    network, node = Network(told["network"]), SimpleNamespace(name=told["node"], cgroup=told["cgroup"])
    assert len(traces_of(short, network, [node])) > 20, "there is something to leave"
    if killed:
        owner.kill()
    owner.communicate()
    eventually(lambda: not traces_of(short, network, [node]), "it is all gone")
    assert shared_folders() == before
