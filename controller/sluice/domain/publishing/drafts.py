"""What is to be published next, if anything: a revert that was asked for, else the draft if it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sluice.api.reasons import Reason
from sluice.api.workflow import PublishPolicy, PublishRequest, RolloutPolicy, Workflow
from sluice.api.workflowversion import VersionSource, WorkflowVersion, WorkflowVersionSpec
from sluice.domain.publishing.approvals import Ruling, Rulings
from sluice.domain.publishing.facts import DraftFacts, PublishFacts
from sluice.domain.rollouts.owners import who_wrote
from sluice.domain.timestamps import stamp

CLI_MANAGER = "sluice-cli/"
"""The command line writes as ``sluice-cli/<user>``: what comes after is who it was."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to become the next version, before it has a number; ``target`` is what a revert copies."""

    digest: str
    target: WorkflowVersion | None = None


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a draft or a revert is not published."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What publishing comes to: something to publish, or why not; both empty when all is published.

    ``revert`` is what is wrong with the revert asked for the next number; it does not keep a changed draft from that number.
    """

    publication: Publication | None = None
    draft: Hindrance | None = None
    revert: Hindrance | None = None


def intent(workflow: Workflow, draft: DraftFacts, facts: PublishFacts, rulings: Rulings, number: int) -> Intent:
    """Decide what becomes version ``number``. A revert goes before the draft: it was asked for this very number."""
    reverting = _revert(workflow, rulings, number)
    blocked = _no_rollout(workflow, facts)
    if isinstance(reverting, Publication):
        return Intent(revert=blocked) if blocked else Intent(publication=reverting)
    hindrance = _draft_hindrance(workflow, draft, rulings)
    if hindrance is None and draft.digest and not _is_published(draft, rulings):
        hindrance = blocked
        if hindrance is None:
            return Intent(publication=Publication(draft.digest), revert=reverting)
    return Intent(draft=hindrance, revert=reverting)


def next_number(facts: PublishFacts) -> int:
    """One more than the highest that the ledger or any object knows (R179: no gap, no reuse)."""
    return max([facts.ledger_highest, *(version.spec.number for version in facts.versions)]) + 1


def publish_request(versions: Sequence[WorkflowVersion], digest: str) -> PublishRequest:
    """The request that has the draft of this digest published, also if it was published before."""
    return PublishRequest(digest=digest, attempt=_times_published(versions, digest) + 1)


def version_spec(
    workflow: Workflow,
    draft: DraftFacts,
    publication: Publication,
    facts: PublishFacts,
    *,
    number: int,
    now: dt.datetime,
) -> WorkflowVersionSpec:
    """The frozen spec of a new version; a revert is a copy, whole, of what it goes back to (R049, C4)."""
    target = publication.target.spec if publication.target else None
    request = (workflow.spec.reverts or {}).get(f"v{number}") if target else None
    writer = who_wrote(facts.managed_fields, ("spec", "reverts", f"v{number}")) if target else None
    newest = max(facts.versions, key=lambda version: version.spec.number, default=None)
    before = newest.spec.draft_digest if newest else publication.digest
    return WorkflowVersionSpec(
        workflow=workflow.metadata.name,
        workflow_uid=workflow.metadata.uid,
        number=number,
        digest=publication.digest,
        draft_digest=draft.digest or before,
        level=target.level if target else draft.level,
        definition=dict(target.definition if target else draft.canonical),
        resolved=target.resolved if target else draft.resolved,
        published_by=writer.manager.removeprefix(CLI_MANAGER) if writer else draft.author or "unknown",
        published_at=stamp(now),
        source=VersionSource(manager=draft.manager or None, revision=draft.revision or None)
        if not target and (draft.manager or draft.revision)
        else None,
        revert_of=f"v{target.number}" if target else None,
        percent=request.percent if request else None,
        reason=request.reason if request else None,
        approval_required=workflow.spec.publish is not None and workflow.spec.publish.approval is not None,
    )


def _revert(workflow: Workflow, rulings: Rulings, number: int) -> Publication | Hindrance | None:
    request = (workflow.spec.reverts or {}).get(f"v{number}")
    if request is None:
        return None
    target = next((version for version in rulings.versions if f"v{version.spec.number}" == request.to), None)
    if target is None:
        message = (
            f"spec.reverts.v{number}: there is no version {request.to}; see `sluice versions {workflow.metadata.name}`"
        )
        return Hindrance(Reason.VERSION_NOT_FOUND, message)
    if rulings.of[target.spec.number] is not Ruling.APPROVED:
        message = f"spec.reverts.v{number}: {request.to} was never approved; choose one that was"
        return Hindrance(Reason.VERSION_NOT_FOUND, message)
    standing = _standing(rulings)
    if standing is not None and standing.spec.digest == target.spec.digest:
        return None
    return Publication(target.spec.digest, target)


def _draft_hindrance(workflow: Workflow, draft: DraftFacts, rulings: Rulings) -> Hindrance | None:
    name = workflow.metadata.name
    if draft.missing:
        return Hindrance(Reason.VERSION_NOT_FOUND, f"spec.definitionFrom: {draft.missing}")
    if draft.findings:
        more = f" (and {len(draft.findings) - 1} more)" if len(draft.findings) > 1 else ""
        return Hindrance(Reason.DRAFT_INVALID, f"{draft.findings[0]}{more}; see `sluice check`")
    if not draft.digest or _is_published(draft, rulings):
        return None
    newest = rulings.newest
    changed = newest is None or newest.spec.draft_digest != draft.digest
    publish = workflow.spec.publish
    request = publish.request if publish else None
    named = request is not None and request.digest == draft.digest
    times = _times_published(rulings.versions, draft.digest)
    asked = named and request is not None and (changed or times < request.attempt)
    if newest is not None and not changed and not asked:
        return _unchanged(name, newest, rulings, times)
    if publish is not None and publish.policy is PublishPolicy.MANUAL and not asked:
        return Hindrance(Reason.PUBLISHING_MANUAL, f"the draft differs; run `sluice publish {name}` to publish it")
    if draft.not_executable:
        return Hindrance(Reason.NOT_EXECUTABLE, f"can't run here: {'; '.join(draft.not_executable)}")
    return None


def _unchanged(name: str, newest: WorkflowVersion, rulings: Rulings, times: int) -> Hindrance:
    """The draft differs from what is published, but nobody touched it since."""
    again = f"run `sluice publish {name}` to publish it all the same (publish.request: attempt {times + 1})"
    if newest.spec.revert_of:
        message = (
            f"v{newest.spec.number} went back to {newest.spec.revert_of} and the draft did not change since; {again}"
        )
        return Hindrance(Reason.REVERTED_BY_HAND, message)
    decision = rulings.decisions.get(newest.spec.number)
    by = f" by {decision.by}" if decision and decision.by else ""
    reason = f": {decision.reason}" if decision and decision.reason else ""
    rejected = rulings.of[newest.spec.number] is Ruling.REJECTED
    turned_down = f"rejected{by}{reason}" if rejected else "withdrawn"
    message = f"v{newest.spec.number} was {turned_down}; change the draft, or {again}"
    return Hindrance(Reason.APPROVAL_REJECTED if rejected else Reason.WITHDRAWN, message)


def _no_rollout(workflow: Workflow, facts: PublishFacts) -> Hindrance | None:
    publish = workflow.spec.publish
    if publish is None or publish.rollout is not RolloutPolicy.REQUIRED or facts.rollout_exists:
        return None
    message = (
        "publish.rollout is Required and there is no Rollout; create one of the workflow's name, or one named default"
    )
    return Hindrance(Reason.ROLLOUT_REQUIRED, message)


def _standing(rulings: Rulings) -> WorkflowVersion | None:
    """The newest version that was not turned down: what a draft is compared with. A rejected digest counts as unpublished."""
    return next(iter(reversed(rulings.ruled(Ruling.APPROVED, Ruling.PENDING))), None)


def _is_published(draft: DraftFacts, rulings: Rulings) -> bool:
    standing = _standing(rulings)
    return standing is not None and standing.spec.digest == draft.digest


def _times_published(versions: Sequence[WorkflowVersion], digest: str) -> int:
    return sum(version.spec.digest == digest and version.spec.revert_of is None for version in versions)
