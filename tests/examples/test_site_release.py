"""The example whose steps have images of their own, on a real API server; its containers are processes of this machine."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.store import KubernetesStore
from sluice.adapters.kubernetes.transport import Transport
from sluice.api.kinds import WORKFLOW
from sluice.domain.launching.names import UNIT_LABEL
from tests.cluster.controllers import controlling
from tests.cluster.process_kubelet import playing
from tests.cluster.sharing import ControlPlane
from tests.cluster.workspace import Workspace, workspace
from tests.examples.served import EXAMPLES

pytestmark = pytest.mark.cluster

NAME = "site-release"


@pytest.fixture(scope="module")
def space(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    own, folder = f"t{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("site")
    transport = Transport(from_kubeconfig(control_plane.kubeconfig))
    with (
        workspace(KubernetesStore(transport), own) as made,
        playing(transport, folder, controller_id=own),
        controlling(control_plane, folder, controller_id=own, watch_namespaces=own),
    ):
        manifest = yaml.safe_load((EXAMPLES / NAME / "workflow.yaml").read_text())
        made.apply(WORKFLOW, NAME, manifest["spec"])
        made.wait_published(NAME, "v1")
        yield made
    transport.close()


def released(space: Workspace, *links: str) -> dict[str, Any]:
    pages = [{"path": "/", "links": list(links)}, {"path": "/about", "links": []}]
    run = space.start(NAME, payload={"title": "Docs", "pages": pages})
    status: dict[str, Any] = space.wait_ended(run)["status"]
    return status


def test_what_its_containers_made_is_released(space: Workspace) -> None:
    status = released(space, "https://example.com")

    site = f"<title>Docs</title>\n{json.dumps(['/', '/about'], separators=(',', ':'))}\n"
    digest = hashlib.sha256(site.encode()).hexdigest()[:12]
    assert (status["phase"], status["outputs"]) == ("Succeeded", {"release": f"Docs: 2 pages, {digest}"})
    assert {job["metadata"]["labels"][UNIT_LABEL] for job in space.jobs()} >= {"main", "steps.build.1", "steps.links.1"}


def test_a_bad_link_keeps_the_site_from_being_released(space: Workspace) -> None:
    status = released(space, "https://example.com", "http://example.com")

    assert status["failure"]["step"] == "links"
    assert status["failure"]["message"] == "its container ended with code 3: not every link is https"
