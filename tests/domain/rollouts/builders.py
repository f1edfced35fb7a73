"""Rollouts for tests: versions of one workflow, a clock that is set by hand, and a plan that is remembered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.api.reasons import ConditionType
from sluice.api.rollout import Outcome, RolloutSpec, RolloutStatus
from sluice.domain.rollouts.facts import EnvironmentFacts, RolloutFacts, RolloutPlan, VersionFacts
from sluice.domain.rollouts.plan import plan_rollout
from sluice.domain.routing.dealing import GateSample

START = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)
PRODUCTION = EnvironmentFacts("production", production=True, active=True)


def digest(content: int) -> str:
    return f"sha256:{content:064x}"


def version(
    number: int, content: int | None = None, *, percent: int | str | None = None, outcome: Outcome | None = None
) -> VersionFacts:
    return VersionFacts(number, f"support-v{number}", digest(number if content is None else content), percent, outcome)


def steps(*parts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"steps": list(parts), **more}


@dataclass
class Stage:
    """Plans over and over, as a reconciler does."""

    spec: dict[str, Any] | None = field(default_factory=dict)
    versions: list[VersionFacts] = field(default_factory=list)
    status: RolloutStatus = field(default_factory=RolloutStatus)
    now: dt.datetime = START
    environments: list[EnvironmentFacts] = field(default_factory=lambda: [PRODUCTION])
    samples: dict[str, GateSample] = field(default_factory=dict)
    dealt: dict[str, tuple[int, int]] = field(default_factory=dict)
    managed_fields: list[dict[str, Any]] = field(default_factory=list)
    known_revision: int = 0
    asked: list[tuple[str, int, int, int]] = field(default_factory=list)

    def plan(self) -> RolloutPlan:
        spec = None if self.spec is None else RolloutSpec.model_validate(self.spec)
        plan = plan_rollout(spec, self.status, self._facts(), now=self.now)
        self.status = plan.status
        return plan

    def publish(self, *versions: VersionFacts) -> RolloutPlan:
        self.versions += versions
        return self.plan()

    def after(self, **span: float) -> RolloutPlan:
        self.now += dt.timedelta(**span)
        return self.plan()

    def ask(self, **requests: Any) -> RolloutPlan:
        """Add requests as a merge patch would."""
        assert self.spec is not None
        for kind, entries in requests.items():
            self.spec[kind] = {**self.spec.get(kind, {}), **entries}
        return self.plan()

    def condition(self, type: ConditionType) -> tuple[str, str, str] | None:
        found = [condition for condition in self.status.conditions if condition.type == type]
        return (found[0].status, found[0].reason, found[0].message) if found else None

    @property
    def stable(self) -> int:
        return self.status.stable.number if self.status.stable else 0

    @property
    def candidate(self) -> int:
        return self.status.candidate.number if self.status.candidate else 0

    @property
    def outcomes(self) -> dict[int, str]:
        return {entry.number: entry.outcome.value for entry in reversed(self.status.history)}

    def _facts(self) -> RolloutFacts:
        return RolloutFacts(
            workflow="support",
            versions=tuple(self.versions),
            environments=tuple(self.environments),
            sample=self._sample,
            dealt=lambda revision: self.dealt,
            managed_fields=self.managed_fields,
            generation=1,
            known_revision=self.known_revision,
        )

    def _sample(self, environment: str, revision: int, min_runs: int, stable: int) -> GateSample:
        self.asked.append((environment, revision, min_runs, stable))
        return self.samples.get(environment, GateSample())
