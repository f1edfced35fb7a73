"""The rules of each kind and part of a kind, by the name of its model; the CRDs carry the CEL, the embedded server the rest.

A rule that compares with the stored object stands at the smallest value that it is about, so that the path in the error is the
field's. What needs a look at other fields' meaning (references between steps, cycles, expressions) is no rule but validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.domain.admission.rule import (
    Rule,
    at_most_one,
    entries_stay,
    frozen,
    kept,
    one_of,
    python_pattern,
    unchanged,
)

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def _name_matches(pattern: str, message: str) -> Rule:
    matches = python_pattern(pattern)
    return Rule(
        cel=f"self.metadata.name.matches('{pattern}')",
        message=message,
        holds=lambda new, _: bool(matches(_name(new))),
        field="metadata.name",
    )


def _name(obj: Mapping[str, Any]) -> str:
    return str(obj.get("metadata", {}).get("name", ""))


def _version_is_named_after_its_workflow(new: Any, _: Any) -> bool:
    return _name(new) == f"{new['spec']['workflow']}-v{new['spec']['number']}"


def _tier_follows_type(new: Any, _: Any) -> bool:
    return "tier" not in new or bool((new["tier"] == "Production") == (new["type"] == "Production"))


def _cancel_goes_one_way(new: Any, old: Any) -> bool:
    return bool(not old.get("cancel") or new.get("cancel"))


def _environment_fits_scope(new: Any, _: Any) -> bool:
    return bool(new["scope"] == "Environment") == ("environment" in new)


WORKFLOW_NAME = _name_matches(
    f"^{_LABEL}$",
    "a workflow's name consists of lower case letters, digits and '-', and starts and ends with a letter or digit",
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "Workflow": (WORKFLOW_NAME,),
    "WorkflowSpec": (
        one_of(("definition", "definitionFrom")),
        Rule(
            "(self.scope == 'Environment') == has(self.environment)",
            "environment is required with scope Environment, and only there",
            _environment_fits_scope,
            field="environment",
        ),
        frozen("scope", "scope is immutable; make a new workflow"),
        frozen("environment", "environment is immutable; make a new workflow, or promote this one"),
    ),
    "Definition": (
        one_of(("steps", "nodes", "tasks")),
        Rule(
            "!has(self.edges) || has(self.nodes)",
            "edges belong to nodes; with steps say needs",
            lambda new, _: "edges" not in new or "nodes" in new,
            field="edges",
        ),
    ),
    "ScheduleTrigger": (one_of(("cron", "interval")),),
    "Wait": (one_of(("for", "until", "signal")),),
    "WorkflowVersion": (
        Rule(
            "self.metadata.name == '%s-v%d'.format([self.spec.workflow, self.spec.number])",
            "a version is named <workflow>-v<number>",
            _version_is_named_after_its_workflow,
            field="metadata.name",
        ),
    ),
    "WorkflowVersionSpec": (unchanged("a version is frozen; publish a new one"),),
    "Rollout": (_name_matches(f"^{_LABEL}$", "a rollout is named after its workflow, or default"),),
    "RolloutSpec": (one_of(("percent", "steps")),),
    "Gate": (at_most_one(("maxFailureRate", "comparedToStable")),),
    "Environment": (
        _name_matches(
            f"^{_LABEL}$", "an environment's name consists of lower case letters, digits and '-', without dots"
        ),
    ),
    "EnvironmentSpec": (
        Rule(
            "!has(self.tier) || (self.tier == 'Production') == (self.type == 'Production')",
            "tier is Production if and only if type is Production",
            _tier_follows_type,
            field="tier",
        ),
        frozen("type", "type is immutable; make a new environment"),
    ),
    "EnvironmentState": (
        _name_matches(f"^{_LABEL}[.]{_LABEL}$", "an environment state is named <workflow>.<environment>"),
    ),
    "WorkflowRunSpec": (
        kept("pin", "the pin is written once"),
        kept("signals", "a signal is not taken back"),
        Rule(
            "!oldSelf.cancel || self.cancel",
            "cancel goes one way: a cancelled run can't be revived; replay it",
            _cancel_goes_one_way,
            field="cancel",
        ),
    ),
    "RunInput": (unchanged("input is frozen; start another run"),),
    "Pin": (unchanged("the pin is written once"),),
    "ApprovalSpec": (
        *(
            frozen(field, f"{field} is frozen; only decisions may be added")
            for field in (
                "subject",
                "approvers",
                "escalate",
                "minimum",
                "excludeRequester",
                "requester",
                "summary",
                "risk",
                "sla",
                "timeout",
            )
        ),
        kept("decisions", "a decision is made once"),
    ),
    "ApprovalSubject": (
        Rule(
            "has(self.version) != has(self.run) && has(self.run) == has(self.step)",
            "must name a version, or a run and its step",
            lambda new, _: ("version" in new) != ("run" in new) and ("run" in new) == ("step" in new),
        ),
    ),
}
"""Rules by model; those of a kind as a whole see ``metadata.name`` too, as on a Kubernetes API server."""

FIELD_RULES: Mapping[str, tuple[Rule, ...]] = {
    "WorkflowRunSpec.signals": (entries_stay("a signal is not taken back: the first write wins"),),
    "ApprovalSpec.decisions": (entries_stay("a decision is made once"),),
}
"""Rules of single fields that have no model of their own, by model and field."""

KNOWN_RULES: Mapping[str, Rule] = {
    rule.cel: rule for rules in (*RULES.values(), *FIELD_RULES.values()) for rule in rules
}
"""Every rule of the tables by its CEL text; the same text has the same predicate wherever it stands."""
