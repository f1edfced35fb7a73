"""A real API server asks the validating webhook, and goes on without it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sluice.adapters.kubernetes.credentials import from_kubeconfig
from sluice.adapters.kubernetes.transport import Transport
from sluice.adapters.kubernetes.webhook import inject
from sluice.domain.definition.validation.findings import Finding
from sluice.http.server import Running
from sluice.http.validation import Judge, validation_group
from sluice.ports.store import Obj
from tests.cli.cluster_place import require_reachable
from tests.cli.place import manifest, workflow
from tests.cluster.installation import Cluster
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import eventually
from tests.http.certificates import make_certificate
from tests.http.live import running

pytestmark = pytest.mark.cluster

STEP = {"name": "a", "action": {"python": {"code": "output = 1"}}}
WRONG = "spec.definition.steps[0].needs[0]: there is no step b; known are a"
REFUSED = f'The Workflow "support" is invalid: {WRONG}'


def here(judge: Judge, obj: Obj) -> list[Finding]:
    return judge(obj)


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace whose writes are asked about, and the server that is asked."""

    cluster: Cluster
    namespace: str
    configuration: str
    server: Running
    transport: Transport
    authority: str

    def applies(self, obj: Obj, *words: str) -> str:
        """What kubectl prints."""
        placed = json.dumps({**obj, "metadata": {**obj["metadata"], "namespace": self.namespace}})
        done = self.cluster.run("apply", *words, "-f", "-", stdin=placed)
        return (done.stdout + done.stderr).strip()

    def injects(self) -> bool:
        return inject(self.transport, self.authority, name=self.configuration)

    def await_enforcement(self) -> None:
        """The API server takes up a changed configuration by and by."""
        eventually(lambda: self.applies(bad(), "--dry-run=server") == REFUSED, "the webhook is asked")


def bad() -> Obj:
    return workflow(definition={"steps": [{**STEP, "needs": ["b"]}]})


def configuration(name: str, url: str, namespace: str) -> str:
    """As the release's manifests have it, but for a server on this machine and one namespace."""
    webhook = {
        "name": "validation.sluice.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "timeoutSeconds": 5,
        "clientConfig": {"url": f"{url}/validate"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [
            {
                "apiGroups": ["sluice.dev"],
                "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["workflows", "rollouts", "environments", "environmentstates"],
            }
        ],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return yaml.safe_dump({**kind, "metadata": {"name": name}, "webhooks": [webhook]})


@pytest.fixture
def place(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Place]:
    require_reachable(control_plane)
    cluster = Cluster(control_plane.kubectl, control_plane.kubeconfig)
    name = f"validation-{uuid.uuid4().hex[:8]}"
    tls = make_certificate(tmp_path, "IP:127.0.0.1")
    with ExitStack() as ends:
        transport = ends.enter_context(closing(Transport(from_kubeconfig(control_plane.kubeconfig))))
        server = ends.enter_context(running([validation_group(here)], tls=tls))
        cluster("create", "namespace", name)
        ends.callback(cluster, "delete", "namespace", name, "--wait=false")
        cluster("apply", "--server-side", "-f", "-", stdin=configuration(name, server.url, name))
        ends.callback(cluster, "delete", "validatingwebhookconfiguration", name)
        yield Place(cluster, name, name, server, transport, Path(tls.certfile).read_text())


def test_a_bad_object_is_refused_in_one_line_and_the_rest_passes(place: Place) -> None:
    """R220."""
    assert place.applies(bad(), "--dry-run=server").endswith("created (server dry run)"), "nobody is trusted yet"
    assert place.injects() is True
    place.await_enforcement()

    assert place.applies(bad()) == REFUSED
    assert place.applies(workflow()) == "workflow.sluice.dev/support created"
    assert place.applies(workflow(), "--server-side").endswith("serverside-applied")
    wrong_percent = manifest("Rollout", "support", {"steps": [{"percent": 50}, {"percent": 5}, {"percent": 100}]})
    assert place.applies(wrong_percent).startswith('The Rollout "support" is invalid: spec.steps[1].percent: ')


def test_a_doubtful_object_is_stored_with_a_warning(place: Place) -> None:
    place.injects()
    place.await_enforcement()
    steps: list[Obj] = [{"name": name, "action": {"http": {"url": "https://example.com"}}} for name in ("a", "b")]
    steps[1]["needs"] = ["a"]
    warned, stored = place.applies(workflow(definition={"steps": steps})).splitlines()[::-1]
    assert stored == "workflow.sluice.dev/support created"
    assert warned.startswith("Warning: spec.definition.steps[1].needs[0]: it waits for a and uses nothing of it")


def test_writes_pass_while_the_webhook_is_away_and_what_is_wrong_can_still_be_labelled_and_deleted(
    place: Place,
) -> None:
    assert place.applies(bad()) == "workflow.sluice.dev/support created", "nobody is trusted yet"
    place.injects()
    where = f"--namespace={place.namespace}"
    other = workflow("other", definition=bad()["spec"]["definition"])
    eventually(lambda: place.applies(other, "--dry-run=server").endswith(WRONG), "the webhook is asked")

    assert place.cluster("label", "workflow", "support", "team=x", where).strip().endswith("labeled")
    changed = bad()
    changed["spec"]["suspend"] = True
    assert place.applies(changed).endswith(WRONG)

    place.server.stop()
    eventually(lambda: place.applies(changed).endswith("configured"), "the API server goes on without it")
    assert "deleted" in place.cluster("delete", "workflow", "support", where)


def test_the_authority_is_written_once_and_outlives_the_manifests(place: Place) -> None:
    assert place.injects() is True
    assert place.injects() is False
    again = configuration(place.configuration, place.server.url, place.namespace)
    place.cluster("apply", "--server-side", "-f", "-", stdin=again)
    assert place.injects() is False


def test_without_a_configuration_there_is_nothing_to_do(place: Place) -> None:
    assert inject(place.transport, place.authority, name="sluice-nobody-installed-it") is False
