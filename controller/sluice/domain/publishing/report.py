"""The conditions of a Workflow. Nothing here decides anything."""

from __future__ import annotations

from sluice.api.reasons import ConditionType, Reason
from sluice.api.workflow import Workflow
from sluice.domain.conditions import Because, Conditions, derive_ready
from sluice.domain.publishing.approvals import Ruling, Rulings
from sluice.domain.publishing.drafts import Hindrance, Intent
from sluice.domain.publishing.facts import DraftFacts, PublishFacts
from sluice.domain.publishing.triggers import pending_differences

CALM = frozenset({Reason.PUBLISHING_MANUAL, Reason.REVERTED_BY_HAND})
"""The draft is not what runs, and that is how somebody wants it."""


def conditions_of(
    workflow: Workflow, draft: DraftFacts, facts: PublishFacts, rulings: Rulings, *, intent: Intent, live: int
) -> Conditions:
    """State what is true of the workflow; Ready comes last and from one place."""
    conditions = Conditions()
    pending = _pending(rulings)
    _published(conditions, live, pending or intent.draft or intent.revert)
    _draft(conditions, workflow, draft, intent)
    if pending is not None:
        conditions.true(ConditionType.VERSION_PENDING_APPROVAL, pending.reason, pending.message)
    if workflow.spec.suspend and live:
        message = "no new runs start; runs in progress go on; set spec.suspend to false to resume"
        conditions.true(ConditionType.PAUSED, Reason.SUSPENDED, message)
    _trigger(conditions, facts, rulings)
    _trigger_ready(conditions, rulings, live=live)
    _params(conditions, facts)
    _ready(conditions, facts, intent, pending=pending, live=live)
    return conditions


def _published(conditions: Conditions, live: int, why_not: Hindrance | None) -> None:
    if live:
        conditions.true(ConditionType.PUBLISHED, Reason.PUBLISHED, f"v{live} is live")
        return
    why = why_not or Hindrance(Reason.NOT_PUBLISHED, "nothing is published yet")
    conditions.false(ConditionType.PUBLISHED, why.reason, why.message)


def _draft(conditions: Conditions, workflow: Workflow, draft: DraftFacts, intent: Intent) -> None:
    if workflow.spec.definition is not None or workflow.spec.definition_from is not None:
        if draft.findings or draft.missing:
            reason = Reason.VERSION_NOT_FOUND if draft.missing else Reason.DRAFT_INVALID
            found = [*([draft.missing] if draft.missing else []), *draft.findings]
            conditions.false(ConditionType.DRAFT_VALID, reason, "\n".join(found))
        else:
            conditions.true(ConditionType.DRAFT_VALID, Reason.DRAFT_VALID, "the draft can be published")
    hindrance = intent.draft
    if intent.publication is not None and intent.publication.target is None:
        conditions.true(ConditionType.DRAFT_PENDING, Reason.DRAFT_CHANGED, "the draft changed and is being published")
    elif hindrance is not None and hindrance.reason is Reason.REVERTED_BY_HAND:
        conditions.true(ConditionType.DRAFT_BEHIND, hindrance.reason, hindrance.message)
    elif hindrance is not None:
        conditions.true(ConditionType.DRAFT_PENDING, hindrance.reason, hindrance.message)


def _trigger(conditions: Conditions, facts: PublishFacts, rulings: Rulings) -> None:
    """Rule 7: the candidate's own trigger has to wait."""
    differing = pending_differences({version.spec.number: version for version in rulings.versions}, facts.rollout)
    if differing and facts.rollout and facts.rollout.stable and facts.rollout.candidate:
        stable, candidate = facts.rollout.stable.number, facts.rollout.candidate.number
        message = f"{', '.join(differing)} of v{stable} stay in force until v{candidate} takes all runs"
        conditions.true(ConditionType.TRIGGER_PENDING, Reason.TRIGGER_DIFFERS, message)


def _trigger_ready(conditions: Conditions, rulings: Rulings, *, live: int) -> None:
    """What starts runs of the version in force."""
    version = next((version for version in rulings.versions if version.spec.number == live), None)
    if version is None:
        conditions.false(ConditionType.TRIGGER_READY, Reason.NO_VERSION, "nothing is published yet")
        return
    kind = next(iter(version.spec.definition.get("trigger") or {"manual": {}}))
    conditions.true(ConditionType.TRIGGER_READY, Reason.SUCCEEDED, f"runs are started by its {kind} trigger")


def _params(conditions: Conditions, facts: PublishFacts) -> None:
    if facts.missing_params:
        told = "; ".join(f"in {name}: {why}" for name, why in sorted(facts.missing_params.items()))
        message = f"{told}; set them in spec.params of the EnvironmentState or the Environment, or with each run"
        conditions.true(ConditionType.PARAMS_MISSING, Reason.PARAM_MISSING, message)


def _pending(rulings: Rulings) -> Hindrance | None:
    waiting = rulings.ruled(Ruling.PENDING)
    if not waiting:
        return None
    name = waiting[-1].metadata.name
    message = f"v{waiting[-1].spec.number} waits for approval; run `sluice approve {name}` or `sluice reject {name}`"
    return Hindrance(Reason.WAITING_FOR_APPROVAL, message)


def _ready(
    conditions: Conditions, facts: PublishFacts, intent: Intent, *, pending: Hindrance | None, live: int
) -> None:
    """A person must act (Stalled), something is under way (Reconciling), or it is as declared."""
    reconciling = None
    if intent.publication is not None:
        reconciling = Because(Reason.PROGRESSING, "a version is being published")
    elif pending is not None:
        reconciling = Because(pending.reason, pending.message)
    ready = Because(Reason.SUCCEEDED, f"v{live} is live" if live else "")
    if not live and reconciling is None:
        reconciling = Because(Reason.NOT_PUBLISHED, "nothing is published yet")
    derive_ready(conditions, ready, reconciling=reconciling, stalled=_stalled(facts, intent, live))


def _stalled(facts: PublishFacts, intent: Intent, live: int) -> Because | None:
    if live and facts.live_problems:
        return Because(Reason.NOT_EXECUTABLE, f"v{live} can't run: {'; '.join(facts.live_problems)}")
    if intent.revert is not None:
        return Because(intent.revert.reason, intent.revert.message)
    hindrance = intent.draft
    if hindrance is not None and (hindrance.reason not in CALM or not live):
        return Because(hindrance.reason, hindrance.message)
    return None
