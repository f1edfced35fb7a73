"""What ``kubectl get`` shows of each kind: columns as a CustomResourceDefinition states them. NAME comes first by itself."""

from __future__ import annotations

from typing import Any

Column = dict[str, Any]


def _column(name: str, path: str, description: str, *, type: str = "string", wide: bool = False) -> Column:
    column: Column = {"name": name, "type": type, "jsonPath": path, "description": description}
    return column | ({"priority": 1} if wide else {})


def _condition(name: str, type: str, *, wide: bool = False) -> Column:
    path = f'.status.conditions[?(@.type=="{type}")].status'
    return _column(name, path, f"Condition {type}.", wide=wide)


AGE = _column("Age", ".metadata.creationTimestamp", "Since creation.", type="date")

PRINTER_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Workflow": (
        _column("Phase", ".status.phase", "What serves: Draft, Approval, Paused, Deployed or Failed."),
        _column("Live", ".status.live", "The newest published version."),
        _column("Candidate", ".status.candidate", "The version that is taking over."),
        _column("Percent", ".status.percent", "Percent of new runs that the candidate takes."),
        _column("Environments", ".status.activeIn", "Where it is Active."),
        _column("Success", ".status.metrics.successRate", "Percent of ended runs that succeeded, over 30 days."),
        _column("Runs 7d", ".status.metrics.runs7d", "Runs started in 7 days.", type="integer"),
        _column("Last Run", ".status.metrics.lastRun", "Since the last run started.", type="date"),
        _condition("Ready", "Ready"),
        _column("Owner", ".spec.owner", "Who answers for it.", wide=True),
        _column("Team", ".spec.team", "Whose it is.", wide=True),
        AGE | {"priority": 1},
    ),
    "WorkflowVersion": (
        _column("Workflow", ".spec.workflow", "Whose version it is."),
        _column("Number", ".spec.number", "Counts from 1.", type="integer"),
        _column("Phase", ".status.phase", "What became of it."),
        _column("Revert Of", ".spec.revertOf", "The version that it brings back."),
        _column("Published By", ".spec.publishedBy", "Who published it."),
        _column("Revision", ".spec.source.revision", "Git revision.", wide=True),
        _column("Digest", ".spec.digest", "Of the canonical definition.", wide=True),
        AGE,
    ),
    "Rollout": (
        _column("Stable", ".status.stable.version", "The last version that reached 100 %."),
        _column("Candidate", ".status.candidate.version", "The version that is taking over."),
        _column("Percent", ".status.percent", "In force for new runs."),
        _column("Actual", ".status.actualPercent", "Percent of this window's runs that the candidate took."),
        _column("Phase", ".status.phase", "Where the walk is."),
        _column("Since", ".status.since", "Since it is there.", type="date"),
        _condition("Ready", "Ready", wide=True),
        AGE | {"priority": 1},
    ),
    "Environment": (
        _column("Type", ".spec.type", "Sandbox or Production."),
        _column("Tier", ".spec.tier", "Production, Staging or Development."),
        _column("Launch", ".status.launch", "How runs are started."),
        _condition("Ready", "Ready"),
        AGE,
    ),
    "EnvironmentState": (
        _column("Workflow", ".status.workflow", "Whose state it is."),
        _column("Environment", ".status.environment", "Where."),
        _column("Wanted", ".spec.state", "What is declared."),
        _column("State", ".status.state", "What is in force, overrides counted."),
        _column("Triggers", ".spec.triggers", "Which triggers are heard."),
        _column("Since", ".status.since", "Since it is so.", type="date"),
        _condition("Ready", "Ready", wide=True),
    ),
    "WorkflowRun": (
        _column("Workflow", ".spec.input.workflow", "What runs."),
        _column("Env", ".spec.pin.environment", "Where."),
        _column("Version", ".status.version", "Which version it is pinned to."),
        _column("Phase", ".status.phase", "Where the run is."),
        _column("Step", ".status.step", "What runs now, or what failed."),
        _column("Reason", ".status.reason", "Why it is so."),
        _column("Duration", ".status.duration", "How long it ran."),
        AGE,
        _column("Trigger", ".spec.input.trigger.type", "What started it.", wide=True),
        _column("Actor", ".spec.input.actor", "Who started it.", wide=True),
    ),
    "Approval": (
        _column("Subject", ".status.subject", "What is decided on."),
        _column("Phase", ".status.phase", "Pending, Approved, Rejected or Withdrawn."),
        _column("Risk", ".spec.risk", "Low, Medium, High or Critical."),
        _column("Decided By", ".status.decidedBy", "Who decided."),
        _column("Escalated", ".status.escalated", "Whether the time to decide has passed.", type="boolean", wide=True),
        _column("Requester", ".spec.requester", "Who asked.", wide=True),
        AGE,
    ),
}
