"""Fixtures of environments elsewhere: a second cluster, and a controller here with an environment there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from tests.cluster.controllers import controlling
from tests.cluster.elsewhere import ACCOUNT, SLOW, Away, Site, away
from tests.cluster.process_kubelet import playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import workspace


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> Iterator[Away]:
    with away(tmp_path_factory.mktemp("other")) as made:
        yield made


@pytest.fixture
def site(control_plane: ControlPlane, other: Away, tmp_path: Path) -> Iterator[Site]:
    own = f"t{uuid.uuid4().hex[:8]}"
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    (tmp_path / "near").mkdir()
    (tmp_path / "far").mkdir()
    with (
        workspace(KubernetesStore(transport), own) as space,
        playing(transport, tmp_path / "near", controller_id=own),
        playing(other.transport, tmp_path / "far", controller_id=own) as kubelet,
        controlling(control_plane, tmp_path, controller_id=own, watch_namespaces=own) as controller,
    ):
        made = Site(space, controller, other, kubelet, tmp_path, own)
        other.let_in(own)
        made.lend(other.kubeconfig_of(ACCOUNT, tmp_path))
        made.declare()
        made.wait_ready("far")
        space.apply_workflow("hello", 'output = "Hello, " + payload["name"]')
        space.apply_workflow("slow", SLOW)
        for workflow in ("hello", "slow"):
            space.wait_published(workflow, "v1")
        try:
            yield made
        finally:
            other.plane.apiserver.resume()
            other.plane.apiserver.start()
    transport.close()
