"""What publishing is decided from, and what comes out: values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.api.approval import Approval, ApprovalSpec
from sluice.api.fields import Condition
from sluice.api.rollout import RolloutStatus
from sluice.api.workflow import Contains, Phase, Publishing
from sluice.api.workflowversion import VersionPhase, WorkflowVersion, WorkflowVersionSpec


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """What was found out about the draft: digested at the level of the newest version, validated, resolved.

    ``digest`` is empty where the draft is too broken to be digested. ``findings`` are what makes it invalid,
    ``not_executable`` what this installation can't run although it is valid. With ``definitionFrom`` the draft is the named
    version's definition; ``missing`` says that there is no such version.
    """

    digest: str = ""
    canonical: Mapping[str, Any] = field(default_factory=dict)
    level: int = 1
    findings: Sequence[str] = ()
    not_executable: Sequence[str] = ()
    missing: str = ""
    resolved: Any = None
    author: str = ""
    """Who is written down as ``publishedBy``."""
    manager: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class PublishFacts:
    """What is known beside the Workflow and its draft; read from the server, never from a cache, before anything opens.

    ``versions`` are all of the workflow's, in any order. ``approvals`` are those of versions, by the version's name.
    ``rollout`` is the status that the planner of rollouts last gave, None before there is one. ``live_problems`` say why the
    version in force can't run; empty when it can.
    """

    versions: Sequence[WorkflowVersion] = ()
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    rollout_exists: bool = False
    rollout: RolloutStatus | None = None
    ledger_highest: int = 0
    managed_fields: Sequence[Mapping[str, Any]] = ()
    """Of the Workflow: tells who asked for a revert."""
    live_problems: Sequence[str] = ()
    missing_params: Mapping[str, str] = field(default_factory=dict)
    """For each Active environment in which the version in force lacks values: what is missing or wrong, in a sentence."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to create."""

    name: str
    spec: WorkflowVersionSpec


@dataclass(frozen=True, slots=True)
class NewApproval:
    """An Approval to create, named as its version."""

    name: str
    spec: ApprovalSpec


@dataclass(frozen=True, slots=True)
class VersionMove:
    """What a version's status is to say."""

    name: str
    phase: VersionPhase
    outcome: str | None


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """What is to be done and reported, in this order: record, create, approvals, withdraw, moves, status.

    ``claim`` is what ``status.publishing`` is to be (None: cleared). A version is created only when the status that was read
    already held its claim: claim, then create, in two writes, the first with the resource version of the object digested.
    ``record`` are (number, digest, level) that the ledger does not know yet.
    """

    claim: Publishing | None
    create: NewVersion | None
    record: tuple[tuple[int, str, int], ...]
    approvals: tuple[NewApproval, ...]
    withdraw: tuple[str, ...]
    moves: tuple[VersionMove, ...]
    approved: tuple[WorkflowVersion, ...]
    """Versions that a rollout may look at, oldest first."""
    conditions: tuple[Condition, ...]
    phase: Phase
    version: str
    live: str | None
    last_number: int
    contains: Contains
    look_again: dt.timedelta | None = None
