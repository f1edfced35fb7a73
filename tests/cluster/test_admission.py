"""The CRDs' rules and the admission policies, enforced by a real API server: who may write what."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.crds.policies import CONTROLLER_USER
from tests.cluster.installation import CRDS, Cluster
from tests.cluster.sharing import ControlPlane
from tests.contracts.store.builders import eventually
from tests.domain.admission.objects import PIN, an

pytestmark = pytest.mark.cluster

ANA = "ana@example.com"
Obj = dict[str, Any]


class People:
    """Writes of different people in one namespace; all of them have the rights, so only rules and policies refuse."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def writes(self, user: str, verb: str, obj: Obj, *, groups: tuple[str, ...] = ()) -> str:
        """What kubectl says to ``user``: the object's name and what happened, or why not."""
        memberships = [f"--as-group={group}" for group in ("system:masters", *groups)]
        placed = copy.deepcopy(obj)
        placed["metadata"]["namespace"] = self._namespace
        done = self._cluster.run(verb, "-f", "-", f"--as={user}", *memberships, stdin=json.dumps(placed))
        return done.stdout + done.stderr

    def owner(self, kind: str, name: str) -> Obj:
        """A reference that makes its holder a dependent of an object that is there."""
        read = json.loads(self._cluster("get", kind, name, "-o", "json", f"--namespace={self._namespace}"))
        reference = {field: read[field] for field in ("apiVersion", "kind")}
        return {**reference, "name": name, "uid": read["metadata"]["uid"]}

    def sees(self, kind: str, name: str) -> bool:
        """Whether there is such an object."""
        return not self._cluster.run("get", kind, name, f"--namespace={self._namespace}").returncode


@pytest.fixture
def people(control_plane: ControlPlane) -> Iterator[People]:
    cluster = Cluster(control_plane.kubectl, control_plane.kubeconfig)
    namespace = f"admission-{uuid.uuid4().hex[:8]}"
    cluster("create", "namespace", namespace)
    yield People(cluster, namespace)
    cluster("delete", "namespace", namespace, "--wait=false")


def test_every_kind_is_accepted_with_its_rules_and_their_cost(control_plane: ControlPlane) -> None:
    cluster = Cluster(control_plane.kubectl, control_plane.kubeconfig)
    told = json.loads(cluster("get", "-f", CRDS, "-o", "json"))["items"]
    conditions = [{one["type"]: one["status"] for one in crd["status"]["conditions"]} for crd in told]
    assert len(told) == len(list(CRDS.glob("*.yaml")))
    assert all(one["Established"] == "True" and one.get("NonStructuralSchema") != "True" for one in conditions)


def test_only_the_controller_pins_a_run_and_only_once(people: People) -> None:
    assert "created" in people.writes(ANA, "create", an("WorkflowRun"))
    pinned = an("WorkflowRun", pin=PIN)
    assert "only the controller writes spec.pin" in people.writes(ANA, "replace", pinned)
    assert "replaced" in people.writes(CONTROLLER_USER, "replace", pinned)
    moved = an("WorkflowRun", pin={**PIN, "number": PIN["number"] + 1})
    assert "the pin is written once" in people.writes(CONTROLLER_USER, "replace", moved)


def test_nobody_starts_a_run_in_the_name_of_another(people: People) -> None:
    run = an("WorkflowRun")
    run["spec"]["input"]["actor"] = "bob@example.com"
    assert "leave it out or name yourself" in people.writes(ANA, "create", run)
    assert "created" in people.writes("bob@example.com", "create", run)


def test_a_version_is_frozen(people: People) -> None:
    version = an("WorkflowVersion")
    assert "created" in people.writes(CONTROLLER_USER, "create", version)
    changed = copy.deepcopy(version)
    changed["spec"]["publishedBy"] = "bob@example.com"
    assert "a version is frozen" in people.writes(CONTROLLER_USER, "replace", changed)


def test_a_version_is_kept_as_long_as_its_workflow_and_goes_with_it(people: People) -> None:
    assert "created" in people.writes(ANA, "create", an("Workflow"))
    version = an("WorkflowVersion")
    version["metadata"]["ownerReferences"] = [people.owner("workflow", "hello")]
    assert "created" in people.writes(CONTROLLER_USER, "create", version)
    assert "kept as long as its workflow" in people.writes(ANA, "delete", version)
    assert "deleted" in people.writes(ANA, "delete", an("Workflow"))
    eventually(lambda: not people.sees("workflowversion", "hello-v3"), "the version goes with its workflow")


def test_what_breaks_the_schema_is_refused_with_the_field(people: People) -> None:
    told = people.writes(ANA, "create", an("Workflow", owner="ana at example"))  # R220
    assert "spec.owner in body should match" in told
