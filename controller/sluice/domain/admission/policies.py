"""What depends on who writes: the rules that a schema can't express, because it knows no user.

Each policy is said twice, as CEL for a ValidatingAdmissionPolicy and as a Python predicate for the embedded server. The
controller is known by its user name, so a right to everything (that of a cluster's administrators) is not the right to
pin a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sluice.api.kinds import APPROVAL, GROUP, WORKFLOW_RUN, WORKFLOW_VERSION, KindInfo
from sluice.domain.admission.equality import same

Operation = Literal["CREATE", "UPDATE", "DELETE"]

COLLECTORS = (
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
)
"""Who deletes what lost its owner or its namespace, on a cluster."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write and who makes it. ``may_use`` answers whether the writer has the verb ``use`` on an environment of the
    object's namespace, by name (empty: on every one); ``is_controller`` whether the writer is the controller itself."""

    operation: Operation
    user: str
    groups: Sequence[str]
    new: Mapping[str, Any]
    old: Mapping[str, Any]
    is_controller: bool
    may_use: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Policy:
    """One sentence of who may. ``cel`` sees ``variables.isController`` beside what Kubernetes offers."""

    name: str
    kind: KindInfo
    operations: tuple[Operation, ...]
    cel: str
    message: str
    allows: Callable[[Write], bool]


def _only_the_controller_pins(write: Write) -> bool:
    return write.is_controller or ("pin" in _spec(write.new)) == ("pin" in _spec(write.old))


def _actor_is_the_writer(write: Write) -> bool:
    actor = _spec(write.new)["input"].get("actor")
    return write.is_controller or actor is None or actor == write.user


def _may_use_environment(write: Write) -> bool:
    return write.is_controller or write.may_use(_spec(write.new)["input"].get("environment", ""))


def _added_decisions(write: Write) -> dict[str, Any]:
    decided = _spec(write.old).get("decisions", {})
    return {key: made for key, made in _spec(write.new).get("decisions", {}).items() if key not in decided}


def _decisions_are_the_writers_own(write: Write) -> bool:
    return all(key == write.user == made["by"] for key, made in _added_decisions(write).items())


def _decisions_are_in_time(write: Write) -> bool:
    return not _added_decisions(write) or write.old.get("status", {}).get("phase", "Pending") == "Pending"


def _decisions_are_an_assignees(write: Write) -> bool:
    if not _added_decisions(write):
        return True
    spec = _spec(write.new)
    escalated = write.old.get("status", {}).get("escalated", False)
    return _names(spec["approvers"], write) or (escalated and _names(spec.get("escalate", {}), write))


def _names(approvers: Mapping[str, Any], write: Write) -> bool:
    return write.user in approvers.get("users", ()) or any(
        group in approvers.get("groups", ()) for group in write.groups
    )


def _requester_stays_out(write: Write) -> bool:
    spec = _spec(write.new)
    return (
        not _added_decisions(write)
        or not spec.get("excludeRequester", False)
        or "requester" not in spec
        or spec["requester"] != write.user
    )


def _payload_is_frozen(write: Write) -> bool:
    new, old = _spec(write.new), _spec(write.old)
    return ("payload" in new) == ("payload" in old) and same(new.get("payload"), old.get("payload"))


def _version_is_not_in_use(write: Write) -> bool:
    return write.is_controller or write.user in COLLECTORS or not write.old.get("metadata", {}).get("ownerReferences")


def _spec(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = obj.get("spec", {})
    return spec


_OLD_HAS_PIN = "(oldObject != null && has(oldObject.spec.pin))"
_OLD_DECISIONS = "(oldObject != null && has(oldObject.spec.decisions) ? oldObject.spec.decisions : {})"
_ADDED = f"(has(object.spec.decisions) ? object.spec.decisions : {{}}).filter(key, !(key in {_OLD_DECISIONS}))"
_USER = "request.userInfo.username"
_OLD_STATUS = "oldObject != null && has(oldObject.status)"


def _named_in(approvers: str) -> str:
    return (
        f"(has({approvers}.users) && {_USER} in {approvers}.users)"
        f" || (has({approvers}.groups) && has(request.userInfo.groups)"
        f" && request.userInfo.groups.exists(group, group in {approvers}.groups))"
    )


POLICIES: tuple[Policy, ...] = (
    Policy(
        "pin",
        WORKFLOW_RUN,
        ("CREATE", "UPDATE"),
        f"variables.isController || has(object.spec.pin) == {_OLD_HAS_PIN}",
        "only the controller writes spec.pin; leave it out",
        _only_the_controller_pins,
    ),
    Policy(
        "actor",
        WORKFLOW_RUN,
        ("CREATE",),
        f"variables.isController || !has(object.spec.input.actor) || object.spec.input.actor == {_USER}",
        "spec.input.actor is the one who starts the run; leave it out or name yourself",
        _actor_is_the_writer,
    ),
    Policy(
        "use",
        WORKFLOW_RUN,
        ("CREATE",),
        f"variables.isController || authorizer.group('{GROUP}').resource('environments').namespace(request.namespace)"
        ".name(has(object.spec.input.environment) ? object.spec.input.environment : '').check('use').allowed()",
        "you may not run anything in this environment; ask for the verb use on it (on all of them where a run names none)",
        _may_use_environment,
    ),
    Policy(
        "own-decision",
        APPROVAL,
        ("CREATE", "UPDATE"),
        f"{_ADDED}.all(key, key == {_USER} && object.spec.decisions[key].by == {_USER})",
        "a decision stands under the name of the one who makes it, in its key and in by",
        _decisions_are_the_writers_own,
    ),
    Policy(
        "assignee",
        APPROVAL,
        ("CREATE", "UPDATE"),
        f"{_ADDED}.size() == 0 || {_named_in('object.spec.approvers')}"
        f" || ({_OLD_STATUS} && has(oldObject.status.escalated) && oldObject.status.escalated"
        f" && has(object.spec.escalate) && ({_named_in('object.spec.escalate')}))",
        "only those named in spec.approvers decide (and, once escalated, those in spec.escalate)",
        _decisions_are_an_assignees,
    ),
    Policy(
        "requester",
        APPROVAL,
        ("CREATE", "UPDATE"),
        f"{_ADDED}.size() == 0 || !has(object.spec.excludeRequester) || !object.spec.excludeRequester"
        f" || !has(object.spec.requester) || object.spec.requester != {_USER}",
        "who asked may not decide here; somebody else has to",
        _requester_stays_out,
    ),
    Policy(
        "pending",
        APPROVAL,
        ("CREATE", "UPDATE"),
        f"{_ADDED}.size() == 0 || !({_OLD_STATUS} && has(oldObject.status.phase))"
        " || oldObject.status.phase == 'Pending'",
        "it is decided, or was withdrawn",
        _decisions_are_in_time,
    ),
    Policy(
        "payload",
        APPROVAL,
        ("UPDATE",),
        "has(object.spec.payload) == has(oldObject.spec.payload)"
        " && (!has(object.spec.payload) || object.spec.payload == oldObject.spec.payload)",
        "spec.payload is frozen; an edited payload belongs into the decision",
        _payload_is_frozen,
    ),
    Policy(
        "in-use",
        WORKFLOW_VERSION,
        ("DELETE",),
        f"variables.isController || {_USER} in {list(COLLECTORS)}"
        " || !has(oldObject.metadata.ownerReferences) || oldObject.metadata.ownerReferences.size() == 0",
        "a version is kept as long as its workflow; delete the workflow",
        _version_is_not_in_use,
    ),
)
"""All of them; those of one kind are evaluated together and the first that refuses gives its message."""


def refusal(kind: KindInfo, write: Write) -> str:
    """Why this write is refused, in the words of the first policy that does; empty when it is allowed."""
    for policy in _BY_KIND.get(kind.kind, ()):
        if write.operation in policy.operations and not policy.allows(write):
            return policy.message
    return ""


_BY_KIND: Mapping[str, tuple[Policy, ...]] = {
    kind.kind: tuple(policy for policy in POLICIES if policy.kind is kind)
    for kind in {policy.kind.kind: policy.kind for policy in POLICIES}.values()
}

POLICED_KINDS = frozenset(_BY_KIND)
"""Kinds that any policy is about."""
