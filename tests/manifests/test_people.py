"""Who may what on a real API server, by Kubernetes' own roles and Sluice's (R249 to R251, R255 to R257)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest

from sluice.api.kinds import SLUICE_KINDS
from sluice.manifests import Settings
from sluice.manifests.output import stream
from tests.cluster.installation import Cluster, install
from tests.domain.admission.objects import an
from tests.manifests.people import ABROAD, ADAM, ARTHUR, EDITH, HOME, VERA, Obj, People, placed

pytestmark = pytest.mark.cluster

LOOK = {"get", "list", "watch"}
WRITE = {"create", "update", "patch", "delete", "deletecollection"}
VERBS = LOOK | WRITE | {"use"}
PLURALS = [kind.plural for kind in SLUICE_KINDS]
RESOURCES = [*PLURALS, *(f"{plural}/status" for plural in PLURALS)]
PEOPLES_OWN = ("workflows", "rollouts", "environmentstates", "workflowruns")
Right = tuple[str, str]


def of(verbs: set[str], *resources: str) -> set[Right]:
    return set(itertools.product(verbs, resources))


VIEWER = of(LOOK, *PLURALS)
AUTHOR = VIEWER | of(WRITE, *PEOPLES_OWN) | of({"update", "patch"}, "approvals")
EDITOR = AUTHOR | of({"use"}, "environments")
ADMIN = EDITOR | of(WRITE, "environments") | of({"delete", "deletecollection"}, "workflowversions", "approvals")
HELD = {VERA: VIEWER, ARTHUR: AUTHOR, EDITH: EDITOR, ADAM: ADMIN}

USE_OF_SANDBOX: Obj = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "runs-in-sandbox"},
    "rules": [
        {"apiGroups": ["sluice.dev"], "resources": ["environments"], "resourceNames": ["sandbox"], "verbs": ["use"]}
    ],
}

Attempt = Callable[[People, str], str]


def a_run(environment: str | None = "sandbox") -> Obj:
    run = an("WorkflowRun", name="tried")
    run["spec"]["input"] = {"workflow": "hello"} | ({"environment": environment} if environment else {})
    return run


def patching(what: str, spec: Obj) -> Attempt:
    patch = ("patch", what, "--type=merge", "-p", json.dumps({"spec": spec}))
    return lambda people, user: people.tries(user, *patch)


def deciding(people: People, user: str) -> str:
    decision = {user: {"by": user, "at": "2026-01-01T00:00:00Z", "decision": "Approve"}}
    patch = json.dumps({"spec": {"decisions": decision}})
    return people.tries(user, "patch", "approvals.sluice.dev/hello-v3", "--type=merge", "-p", patch)


WORKFLOW = "workflows.sluice.dev/hello"
ATTEMPTS: dict[str, Attempt] = {
    "create a workflow": lambda people, user: people.tries(user, "create", stdin=an("Workflow", name="another")),
    "edit": patching(WORKFLOW, {"definition": {"timeout": "1h"}}),
    "publish": patching(WORKFLOW, {"publish": {"request": {"digest": f"sha256:{'1' * 64}"}}}),
    "roll out": lambda people, user: people.tries(user, "create", stdin=an("Rollout")),
    "activate": lambda people, user: people.tries(user, "create", stdin=an("EnvironmentState")),
    "run": lambda people, user: people.tries(user, "create", stdin=a_run()),
    "cancel a run": patching("workflowruns.sluice.dev/hello-x7k2p", {"cancel": True}),
    "pause": patching(WORKFLOW, {"suspend": True}),
    "approve": deciding,
    "delete a workflow": lambda people, user: people.tries(user, "delete", WORKFLOW),
}
OF_ADMINS: dict[str, Attempt] = {
    "create an environment": lambda people, user: people.tries(user, "create", stdin=an("Environment", name="more")),
    "change an environment": patching("environments.sluice.dev/sandbox", {"description": "mine"}),
    "delete an environment": lambda people, user: people.tries(user, "delete", "environments.sluice.dev/sandbox"),
}
OF_NOBODY: dict[str, Attempt] = {
    "create a version": lambda people, user: people.tries(
        user, "create", stdin=an("WorkflowVersion", name="hello-v9", number=9)
    ),
    "create an approval": lambda people, user: people.tries(user, "create", stdin=an("Approval", name="hello-v9")),
    "write a status": lambda people, user: people.tries(
        user, "patch", WORKFLOW, "--subresource=status", "--type=merge", "-p", '{"status": {"phase": "Deployed"}}'
    ),
}


@pytest.fixture(scope="module")
def people(bare: Cluster) -> People:
    install(bare)
    bare("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=stream(Settings()))
    made = People(bare)
    made.settle()
    return made


@pytest.mark.parametrize("user", HELD)
def test_everybody_has_the_rights_of_their_role_and_no_other(user: str, people: People) -> None:
    assert people.rights(user, itertools.product(sorted(VERBS), RESOURCES)) == HELD[user]


@pytest.mark.parametrize("user", HELD)
def test_nobody_has_any_right_in_another_workspace(user: str, people: People) -> None:  # R255, R256, R257
    assert people.rights(user, itertools.product(sorted(VERBS), RESOURCES), namespace=ABROAD) == set()


@pytest.mark.parametrize("what", ATTEMPTS)
@pytest.mark.parametrize("user", [EDITH, ADAM])
def test_editors_and_admins_may(user: str, what: str, people: People) -> None:  # R249
    assert "Error" not in ATTEMPTS[what](people, user)


@pytest.mark.parametrize("what", {**ATTEMPTS, **OF_ADMINS})
def test_a_viewer_may_not(what: str, people: People) -> None:  # R251
    said = {**ATTEMPTS, **OF_ADMINS}[what](people, VERA)
    assert "Error from server (Forbidden)" in said
    assert f'User "{VERA}" cannot' in said


@pytest.mark.parametrize("what", OF_ADMINS)
def test_environments_are_the_admins(what: str, people: People) -> None:
    assert f'User "{EDITH}" cannot' in OF_ADMINS[what](people, EDITH)
    assert "Error" not in OF_ADMINS[what](people, ADAM)


@pytest.mark.parametrize("what", OF_NOBODY)
def test_what_the_controller_writes_nobody_else_does(what: str, people: People) -> None:
    assert f'User "{ADAM}" cannot' in OF_NOBODY[what](people, ADAM)


@pytest.mark.parametrize("kind", ["workflows", "workflowruns", "workflowversions"])
def test_a_viewer_sees_workflows_and_runs(kind: str, people: People) -> None:  # R250
    listed = people.cluster("get", f"{kind}.sluice.dev", "-o", "name", f"--as={VERA}", f"--namespace={HOME}")
    assert "/hello" in listed


def test_a_member_of_one_workspace_sees_nothing_of_another(people: People) -> None:  # R255, R256
    for place in ([f"--namespace={ABROAD}"], ["--all-namespaces"]):
        refused = people.cluster.run("get", "workflows.sluice.dev,workflowruns.sluice.dev", f"--as={ADAM}", *place)
        assert refused.stdout == ""
        assert refused.stderr.count("(Forbidden)") == 2


def test_a_member_of_one_workspace_triggers_nothing_in_another(people: People) -> None:  # R257
    assert f'User "{ADAM}" cannot create' in people.tries(ADAM, "create", stdin=a_run(), namespace=ABROAD)


def test_who_may_write_runs_runs_nothing_without_the_verb_use(people: People) -> None:
    said = people.tries(ARTHUR, "create", stdin=a_run())
    assert "you may not run anything in this environment; ask for the verb use on it" in said


def test_use_can_be_granted_for_one_environment_alone(people: People) -> None:
    people.cluster("create", "-f", "-", stdin=json.dumps(placed(USE_OF_SANDBOX, HOME)))
    binding = ("create", "rolebinding", "runs-in-sandbox", "--role=runs-in-sandbox", f"--user={ARTHUR}")
    people.cluster(*binding, f"--namespace={HOME}")
    assert "(server dry run)" in people.tries(ARTHUR, "create", stdin=a_run("sandbox"))
    for other in ("production", None):
        assert "you may not run anything in this environment" in people.tries(ARTHUR, "create", stdin=a_run(other))
    assert "(server dry run)" in people.tries(EDITH, "create", stdin=a_run("production"))
