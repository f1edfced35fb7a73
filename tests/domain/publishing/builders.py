"""Workflows, drafts and versions for tests of publishing, and a desk that does what a plan says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sluice.api.approval import Approval, ApprovalPhase
from sluice.api.fields import ObjectMeta
from sluice.api.kinds import API_VERSION
from sluice.api.reasons import ConditionType
from sluice.api.rollout import RolloutStatus
from sluice.api.workflow import Workflow
from sluice.api.workflowversion import WorkflowVersion
from sluice.domain.publishing.facts import DraftFacts, PublishFacts, PublishPlan
from sluice.domain.publishing.plan import plan_publish
from sluice.domain.timestamps import stamp

NOW = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)


def digest(content: str) -> str:
    return "sha256:" + content.encode().hex().rjust(64, "0")


def draft(content: str, **more: Any) -> DraftFacts:
    canonical = {"steps": [{"name": content, "python": {"code": "pass"}}]}
    return DraftFacts(digest=digest(content), canonical=canonical, author="git", **more)


@dataclass
class Desk:
    """Plays the server and the reconciler: one write at a time, as a crash could fall between any two."""

    spec: dict[str, Any] = field(default_factory=dict)
    draft: DraftFacts = field(default_factory=lambda: draft("a"))
    versions: list[WorkflowVersion] = field(default_factory=list)
    approvals: dict[str, Approval] = field(default_factory=dict)
    rollout: RolloutStatus | None = None
    rollout_exists: bool = False
    ledger: dict[int, str] = field(default_factory=dict)
    live_problems: tuple[str, ...] = ()
    managed_fields: list[dict[str, Any]] = field(default_factory=list)
    now: dt.datetime = NOW
    workflow: Workflow = field(init=False)

    def __post_init__(self) -> None:
        self.workflow = Workflow.model_validate(
            {
                "apiVersion": API_VERSION,
                "kind": "Workflow",
                "metadata": {"name": "support", "uid": "uid-1", "generation": 1},
                "spec": {"owner": "ana@example.com", "definition": {}},
            }
        )

    def plan(self) -> PublishPlan:
        spec = {"owner": "ana@example.com", "definition": {}, **self.spec}
        self.workflow.spec = type(self.workflow.spec).model_validate(spec)
        facts = PublishFacts(
            versions=tuple(self.versions),
            approvals=self.approvals,
            rollout_exists=self.rollout_exists,
            rollout=self.rollout,
            ledger_highest=max(self.ledger, default=0),
            managed_fields=self.managed_fields,
            live_problems=self.live_problems,
        )
        return plan_publish(self.workflow, self.draft, facts, now=self.now)

    def step(self) -> PublishPlan:
        """Plan once, and do it all."""
        plan = self.plan()
        for number, content, _ in plan.record:
            self.ledger[number] = content
        if plan.create:
            self.create(plan)
        for wanted in plan.approvals:
            self.approvals[wanted.name] = Approval.model_validate(
                {
                    "apiVersion": API_VERSION,
                    "kind": "Approval",
                    "metadata": {"name": wanted.name, "creationTimestamp": stamp(self.now)},
                    "spec": wanted.spec,
                }
            )
        for name in plan.withdraw:
            self.approvals[name].status.phase = ApprovalPhase.WITHDRAWN
        for move in plan.moves:
            status = next(version.status for version in self.versions if version.metadata.name == move.name)
            status.phase, status.outcome = move.phase, move.outcome
        self.workflow.status.publishing = plan.claim
        self.workflow.status.conditions = list(plan.conditions)
        return plan

    def create(self, plan: PublishPlan) -> None:
        assert plan.create is not None
        self.versions.append(
            WorkflowVersion(
                api_version=API_VERSION,
                kind="WorkflowVersion",
                metadata=ObjectMeta(name=plan.create.name),
                spec=plan.create.spec,
            )
        )

    def settle(self) -> PublishPlan:
        """Plan until nothing moves."""
        for _ in range(20):
            before = self.snapshot()
            plan = self.step()
            if self.snapshot() == before:
                return plan
        raise AssertionError("publishing never came to rest")

    def publish(self, *contents: str) -> PublishPlan:
        for content in contents:
            self.draft = draft(content)
            plan = self.settle()
        return plan

    def decide(self, name: str, verdict: str, by: str = "ben", reason: str | None = None) -> PublishPlan:
        decisions = {**(self.approvals[name].spec.decisions or {})}
        decisions[by] = {"verdict": verdict, "by": by, "reason": reason}
        spec = {**self.approvals[name].spec.model_dump(), "decisions": decisions}
        self.approvals[name].spec = type(self.approvals[name].spec).model_validate(spec)
        return self.settle()

    def snapshot(self) -> tuple[Any, ...]:
        return (
            [version.model_dump_json() for version in self.versions],
            {name: approval.model_dump_json() for name, approval in self.approvals.items()},
            dict(self.ledger),
            self.workflow.status.model_dump_json(),
        )

    @property
    def contents(self) -> list[str]:
        return [bytes.fromhex(v.spec.digest[7:]).lstrip(b"\0").decode() for v in self.versions]

    def condition(self, type: ConditionType) -> tuple[str, str] | None:
        found = [condition for condition in self.workflow.status.conditions if condition.type == type]
        return (found[0].status, found[0].reason) if found else None
