"""What a controller that starts can't do without one of its rights, and does once it has it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice.adapters.kubernetes.launching.workloads import JOB, NETWORK_POLICY, POD
from sluice.api.kinds import NAMESPACE, SECRET, KindInfo
from sluice.domain.launching import names
from sluice.ports.store import Obj, Ref
from tests.cluster.processes import ProcessError
from tests.contracts.store.builders import eventually, exists
from tests.manifests.rights import Need
from tests.manifests.site import LEADERSHIP, SYSTEM, Site

CERTIFICATES = Ref(SECRET, SYSTEM, "sluice-controller-tls")
WEBHOOKS = KindInfo(
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    "admissionregistration.k8s.io/v1",
    namespaced=False,
)
VALIDATION = Ref(WEBHOOKS, "", "sluice-validation")
LOOKS = 'rest_client_requests_total{code="200",method="GET"}'
HEARS = 'rest_client_requests_total{code="200",method="WATCH"}'


def start(site: Site, need: Need) -> None:
    """START, START_UNSTREAMED"""
    site.controller.stop()
    with site.lacking(need):
        starting = site.begin()
        site.wait_refused(need)
        assert not starting.done()
    starting.result()


def lead(site: Site, need: Need) -> None:
    """LEAD, WATCH_PODS"""
    site.begin().result()
    eventually(lambda: site.leads(site.controller), "there is a Lease")
    site.controller.stop()
    if need.verb != "update":
        site.store.delete(LEADERSHIP)  # whoever hears of one needs neither to read it nor to make it
    with site.lacking(need):
        site.begin().result()
        site.wait_refused(need)
        assert not site.leads(site.controller)
    eventually(lambda: site.leads(site.controller), "it leads")


def hear(site: Site, need: Need) -> None:
    """HEAR, HEAR_UNSTREAMED"""
    other = site.another("b")
    try:
        with site.lacking(need):
            site.begin(other).result()
            site.wait_refused(need)
            looked, heard = other.metric(LOOKS), other.metric(HEARS)
            eventually(lambda: other.metric(LOOKS) > looked + 1, "it looks at the Lease by itself, again and again")
            assert other.metric(HEARS) == heard
        eventually(lambda: other.metric(HEARS) > heard, "it hears of the Lease")
        site.controller.stop()
        eventually(lambda: site.leads(other), "it has taken over")
    finally:
        other.stop()


def certify(site: Site, need: Need) -> None:
    """CERTIFY"""
    site.begin().result()
    site.controller.stop()
    if need.verb == "create":
        site.store.delete(CERTIFICATES)
    elif need.verb == "update":
        site.store.patch(CERTIFICATES, {"data": {"tls.crt": "", "tls.key": ""}})
    with site.lacking(need):
        with pytest.raises(ProcessError, match="ended with 1"):
            site.begin().result()
        site.wait_refused(need)
    site.begin().result()
    assert site.store.get(CERTIFICATES)["data"]["tls.crt"]


def be_trusted(site: Site, need: Need) -> None:
    """VALIDATE"""

    def trusted() -> bool:
        return "caBundle" in site.store.get(VALIDATION)["webhooks"][0]["clientConfig"]

    site.controller.stop()
    webhooks = site.store.get(VALIDATION)["webhooks"]
    webhooks[0]["clientConfig"].pop("caBundle", None)
    site.store.patch(VALIDATION, {"webhooks": webhooks})
    with site.lacking(need):
        site.begin().result()
        site.wait_refused(need)
        assert not trusted()
        site.controller.stop()
    site.begin().result()
    eventually(trusted, "the webhook knows who signed the certificate")


def sweep_up(site: Site, need: Need) -> None:
    """SWEEP_UP"""
    site.controller.stop()
    with _leftovers(site) as left:
        with site.lacking(need):
            site.begin().result()
            site.wait_refused(need)
            assert exists(site.store, left[need.resource])
            site.controller.stop()
        site.begin().result()
        eventually(lambda: not any(exists(site.store, ref) for ref in left.values()), "nothing is left")


@contextmanager
def _leftovers(site: Site) -> Iterator[dict[str, Ref]]:
    """What was launched by a run that is not there any more: by resource."""
    with site.space() as space:
        cluster = site.store.get(Ref(NAMESPACE, "", "kube-system"))["metadata"]["uid"]
        labels = {
            names.MANAGED_BY_LABEL: names.MANAGER,
            names.CONTROLLER_LABEL: "sluice",
            names.LAUNCHED_FROM_LABEL: cluster,
            names.WORKSPACE_LABEL: space.namespace,
            names.ENVIRONMENT_LABEL: "gone",
            names.RUN_UID_LABEL: "00000000-0000-0000-0000-000000000000",
            names.UNIT_LABEL: "left",
            names.EPOCH_LABEL: "1",
        }
        annotations = {names.RUN_ANNOTATION: f"{space.namespace}/gone"}
        metadata = {"name": "left", "namespace": space.namespace, "labels": labels, "annotations": annotations}
        pod = {"containers": [{"name": "runner", "image": "example.com/none"}], "restartPolicy": "Never"}
        specs: dict[KindInfo, Obj] = {
            JOB: {"suspend": True, "template": {"spec": pod}},
            POD: pod,
            NETWORK_POLICY: {"podSelector": {"matchLabels": {names.ENVIRONMENT_LABEL: "gone"}}},
        }
        site.kubelet.held_units.add("left")
        for kind, spec in specs.items():
            made = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec}
            site.cluster("create", "-f", "-", stdin=json.dumps(made))
        yield {kind.plural: Ref(kind, space.namespace, "left") for kind in specs}
