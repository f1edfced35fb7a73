"""Who may: each policy by its Python predicate and by the CEL that a cluster evaluates."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluice.api.kinds import kind_named
from sluice.domain.admission.policies import POLICIES, Operation, Write, refusal
from tests.domain.admission.cel import holds
from tests.domain.admission.objects import PIN, an

CONTROLLER = "system:serviceaccount:sluice-system:sluice-controller"
Obj = dict[str, Any]


@dataclass
class Case:
    """A write and whether it is refused."""

    operation: Operation
    new: Obj
    old: Obj = field(default_factory=dict)
    user: str = "ana"
    groups: tuple[str, ...] = ()
    refused_by: str = ""

    def write(self) -> Write:
        return Write(
            operation=self.operation,
            user=self.user,
            groups=self.groups,
            new=self.new,
            old=self.old,
            is_controller=self.user == CONTROLLER,
            may_use=lambda environment: environment == "sandbox",
        )


def run(**spec: Any) -> Obj:
    return an("WorkflowRun", **spec)


def run_by(actor: str) -> Obj:
    return run(input={"workflow": "hello", "environment": "sandbox", "actor": actor})


def approval(status: Obj | None = None, /, **spec: Any) -> Obj:
    return an("Approval", **spec) | ({"status": status} if status else {})


def decided(by: str, key: str = "") -> Obj:
    return {"decisions": {key or by: {"verdict": "Approved", "by": by}}}


def version(*, owned: bool) -> Obj:
    obj = an("WorkflowVersion")
    return obj | {"metadata": {**obj["metadata"], **({"ownerReferences": [{"uid": "u"}]} if owned else {})}}


ASKED = {"excludeRequester": True, "requester": "ana"}
OVER = {"escalate": {"users": ["head"]}}

CASES = {
    "anybody starts a run where they may": Case("CREATE", run()),
    "a run brings no pin of its own": Case("CREATE", run(pin=PIN), refused_by="pin"),
    "a person does not pin": Case("UPDATE", run(pin=PIN), run(), refused_by="pin"),
    "a person does not take a pin out": Case("UPDATE", run(), run(pin=PIN), refused_by="pin"),
    "a person writes beside a pin": Case("UPDATE", run(pin=PIN, cancel=True), run(pin=PIN)),
    "the controller pins": Case("UPDATE", run(pin=PIN), run(), user=CONTROLLER),
    "a run names who starts it": Case("CREATE", run_by("ana")),
    "a run does not name somebody else": Case("CREATE", run_by("bob"), refused_by="actor"),
    "the controller starts runs for others": Case("CREATE", run_by("bob"), user=CONTROLLER),
    "an approval is made without a decision": Case("CREATE", approval(), user=CONTROLLER),
    "an approval does not come decided": Case("CREATE", approval(**decided("ana")), refused_by="assignee"),
    "an assignee decides": Case("UPDATE", approval(**decided("ana")), approval(), groups=("leads",)),
    "an assignee decides by name": Case(
        "UPDATE", approval(approvers={"users": ["ana"]}, **decided("ana")), approval(approvers={"users": ["ana"]})
    ),
    "nobody else decides": Case("UPDATE", approval(**decided("ana")), approval(), refused_by="assignee"),
    "nobody decides where nobody is named": Case(
        "UPDATE", approval(approvers={}, **decided("ana")), approval(approvers={}), refused_by="assignee"
    ),
    "not even the controller decides": Case(
        "UPDATE", approval(**decided(CONTROLLER)), approval(), user=CONTROLLER, refused_by="assignee"
    ),
    "nobody decides in another's name": Case(
        "UPDATE", approval(**decided("bob")), approval(), groups=("leads",), refused_by="own-decision"
    ),
    "nobody decides under another's key": Case(
        "UPDATE", approval(**decided("ana", "bob")), approval(), groups=("leads",), refused_by="own-decision"
    ),
    "the escalated decide once it is escalated": Case(
        "UPDATE", approval(**OVER, **decided("head")), approval({"escalated": True}, **OVER), user="head"
    ),
    "the escalated do not decide before": Case(
        "UPDATE",
        approval(**OVER, **decided("head")),
        approval({"escalated": False}, **OVER),
        user="head",
        refused_by="assignee",
    ),
    "who asked may not decide if excluded": Case(
        "UPDATE", approval(**ASKED, **decided("ana")), approval(**ASKED), groups=("leads",), refused_by="requester"
    ),
    "nobody decides what is decided": Case(
        "UPDATE",
        approval(**decided("ana")),
        approval({"phase": "Rejected"}),
        groups=("leads",),
        refused_by="pending",
    ),
    "a pending approval is open": Case(
        "UPDATE", approval(**decided("ana")), approval({"phase": "Pending"}), groups=("leads",)
    ),
    "an earlier decision needs no right any more": Case(
        "UPDATE", approval(**decided("bob")), approval(**decided("bob")), user=CONTROLLER
    ),
    "a payload is not edited under the approvers": Case(
        "UPDATE", approval(payload={"text": "other"}), approval(), refused_by="payload"
    ),
    "a payload is not taken away": Case("UPDATE", approval(payload=None), approval(), refused_by="payload"),
    "a version in use stays": Case("DELETE", {}, version(owned=True), refused_by="in-use"),
    "a version without a workflow goes": Case("DELETE", {}, version(owned=False)),
    "the garbage collector takes versions along": Case(
        "DELETE",
        {},
        version(owned=True),
        user="system:serviceaccount:kube-system:generic-garbage-collector",
    ),
}


def kind_of(case: Case) -> Any:
    return kind_named((case.new or case.old)["kind"])


@pytest.mark.parametrize("name", CASES)
def test_a_write_is_refused_by_the_policy_that_says_so(name: str) -> None:
    case = CASES[name]
    messages = {policy.message: policy.name for policy in POLICIES}
    refused = refusal(kind_of(case), case.write())
    assert messages.get(refused, "") == case.refused_by


@pytest.mark.parametrize("name", CASES)
def test_python_and_cel_give_the_same_answer(name: str) -> None:
    case = CASES[name]
    for policy in POLICIES:
        if policy.kind is not kind_of(case) or case.operation not in policy.operations or policy.name == "use":
            continue
        bound = {
            "object": copy.deepcopy(case.new) or None,
            "oldObject": copy.deepcopy(case.old) or None,
            "request": {"userInfo": {"username": case.user, "groups": list(case.groups)}},
            "variables": {"isController": case.user == CONTROLLER},
        }
        assert holds(policy.cel, **bound) is policy.allows(case.write()), policy.name


def test_a_run_needs_the_verb_use_on_its_environment() -> None:
    elsewhere = run(input={"workflow": "hello", "environment": "production"})
    anywhere = run(input={"workflow": "hello"})
    assert "verb use" in refusal(kind_of(Case("CREATE", elsewhere)), Case("CREATE", elsewhere).write())
    assert "verb use" in refusal(kind_of(Case("CREATE", anywhere)), Case("CREATE", anywhere).write())
    assert refusal(kind_of(Case("CREATE", elsewhere)), Case("CREATE", elsewhere, user=CONTROLLER).write()) == ""
