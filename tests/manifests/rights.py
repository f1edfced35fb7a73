"""Every right of the controller, with what needs it: a controller that lacks one fails in just that.

For the tests that run a controller with exactly these rights, and that take away one right after the other.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sluice.api.kinds import GROUP, SLUICE_KINDS

Obj = dict[str, Any]

CLUSTER, LAUNCHER, OWN = (
    "ClusterRole/sluice-controller",
    "ClusterRole/sluice-controller-launcher",
    "Role/sluice-controller",
)


class Scenario(StrEnum):
    """What is done, and how it shows that a right is missing."""

    START = "a controller starts: without the right it is never ready, and says which list is refused"
    START_UNSTREAMED = "the same on a server that streams no lists (the feature WatchList is off)"
    WATCH_PODS = "a controller starts: without, it never leads, since it would not hear what becomes of pods"
    LEAD = "a controller is elected: without, nobody leads"
    HEAR = "another one takes over at once: without, it looks by itself, every two seconds"
    HEAR_UNSTREAMED = "the same on a server that streams no lists"
    CERTIFY = "the certificates are made, and renewed: without, the controller ends with what is refused"
    VALIDATE = (
        "the webhook is trusted after the certificates were made: without, every write says that it was not asked"
    )
    SWEEP_UP = "what nobody owns any more is deleted: without, it stays, and a warning says why"
    PUBLISH = "a workflow is published, by itself or after an approval: without, its version or approval never appears"
    OWN_BLOCKING = "a version is published where OwnerReferencesPermissionEnforcement is on: without, it is refused"
    SHOW = "every kind's status says what is: without, the status stays as it was"
    TELL = "what happened stands in Events, once: without, there is none, or it is never counted up"
    LET_GO = "a workflow is deleted once its last run has ended: without, it stays for ever"
    PIN = "a run leaves the queue: without, it is never pinned"
    TURN_AWAY = "a run that may not start is rejected, by what is true now: without, it waits"
    SWEEP = "ended runs beyond what is kept are deleted: without, they stay"
    CONFINE = "an environment's namespace is asked, and its NetworkPolicy made and kept: without, it is never ready"
    LAUNCH = "a run is launched, as a Job or a bare pod: without, it stays Pending, and says why"
    CONNECT = "a runner shows its token: without, it is not let in"
    CALL_OFF = "a run is cancelled before its pod begins: without, its Job or pod stays"
    ADOPT = "a pod that was launched goes on under the next controller: without, its run is held up, and says why"
    EXPLAIN = "a Job gets no pod (a quota, pod security): without, the run does not say why"
    STEP_LOG = "a step with an image of its own fails: without, its report has no more than the node's last words of it"
    ASK = "somebody asks the controller's own API with a token: without, nobody is told anything"


@dataclass(frozen=True, slots=True)
class Need:
    """One right, as RBAC says it, and what needs it. ``name`` is empty for every object."""

    role: str
    group: str
    resource: str
    verb: str
    scenario: Scenario
    name: str = ""


def _needs(role: str, group: str, resources: str | Sequence[str], name: str = "", **verbs: Scenario) -> Iterator[Need]:
    chosen = [resources] if isinstance(resources, str) else resources
    for resource, (verb, scenario) in itertools.product(chosen, verbs.items()):
        yield Need(role, group, resource, verb, scenario, name)


_PLURALS = [kind.plural for kind in SLUICE_KINDS]
_WATCHED = {"watch": Scenario.START, "list": Scenario.START_UNSTREAMED}

NEEDS: tuple[Need, ...] = (
    *_needs(CLUSTER, GROUP, _PLURALS, **_WATCHED),
    *_needs(CLUSTER, GROUP, ["rollouts", "environmentstates"], get=Scenario.PUBLISH),
    *_needs(CLUSTER, GROUP, ["workflows", "environments"], get=Scenario.TURN_AWAY),
    *_needs(CLUSTER, GROUP, ["workflowruns", "workflowversions"], get=Scenario.ASK),
    *_needs(CLUSTER, GROUP, [f"{plural}/status" for plural in _PLURALS], update=Scenario.SHOW),
    *_needs(CLUSTER, GROUP, ["workflowversions", "approvals"], create=Scenario.PUBLISH),
    *_needs(CLUSTER, GROUP, "workflows", update=Scenario.LET_GO),
    *_needs(CLUSTER, GROUP, "workflowruns", update=Scenario.PIN, delete=Scenario.SWEEP),
    *_needs(CLUSTER, GROUP, "workflows/finalizers", update=Scenario.OWN_BLOCKING),
    *_needs(CLUSTER, "", "namespaces", get=Scenario.CONFINE),
    *_needs(CLUSTER, "", "pods", watch=Scenario.WATCH_PODS, list=Scenario.SWEEP_UP),
    *_needs(CLUSTER, "batch", "jobs", list=Scenario.SWEEP_UP),
    *_needs(CLUSTER, "networking.k8s.io", "networkpolicies", list=Scenario.SWEEP_UP),
    *_needs(CLUSTER, "", "events", create=Scenario.TELL, get=Scenario.TELL, patch=Scenario.TELL, list=Scenario.EXPLAIN),
    *_needs(CLUSTER, "authentication.k8s.io", "tokenreviews", create=Scenario.CONNECT),
    *_needs(CLUSTER, "authorization.k8s.io", "subjectaccessreviews", create=Scenario.ASK),
    *_needs(
        CLUSTER,
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        "sluice-validation",
        get=Scenario.VALIDATE,
        patch=Scenario.VALIDATE,
    ),
    *_needs(LAUNCHER, "", "pods", get=Scenario.ADOPT, create=Scenario.LAUNCH, delete=Scenario.CALL_OFF),
    *_needs(LAUNCHER, "", "pods/log", get=Scenario.STEP_LOG),
    *_needs(LAUNCHER, "batch", "jobs", get=Scenario.EXPLAIN, create=Scenario.LAUNCH, delete=Scenario.CALL_OFF),
    *_needs(
        LAUNCHER,
        "networking.k8s.io",
        "networkpolicies",
        create=Scenario.CONFINE,
        patch=Scenario.CONFINE,
        delete=Scenario.SWEEP_UP,
    ),
    *_needs(OWN, "coordination.k8s.io", "leases", create=Scenario.LEAD),
    *_needs(
        OWN,
        "coordination.k8s.io",
        "leases",
        "sluice-controller",
        get=Scenario.LEAD,
        update=Scenario.LEAD,
        watch=Scenario.HEAR,
        list=Scenario.HEAR_UNSTREAMED,
    ),
    *_needs(OWN, "", "secrets", create=Scenario.CERTIFY),
    *_needs(OWN, "", "secrets", "sluice-controller-tls", get=Scenario.CERTIFY, update=Scenario.CERTIFY),
)


def granted(role: Obj) -> Iterator[tuple[str, str, str, str]]:
    """Each right of a role by itself: group, resource, name (empty for every one) and verb."""
    for rule in role["rules"]:
        yield from itertools.product(
            rule["apiGroups"], rule["resources"], rule.get("resourceNames", [""]), rule["verbs"]
        )


def without(role: Obj, need: Need) -> Obj:
    """The role, but for one right."""
    missing = (need.group, need.resource, need.name, need.verb)
    rules = [_rule(right) for right in granted(role) if right != missing]
    return {**copy.deepcopy(role), "rules": rules}


def _rule(right: tuple[str, str, str, str]) -> Obj:
    group, resource, name, verb = right
    made: Obj = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
    return made | ({"resourceNames": [name]} if name else {})
