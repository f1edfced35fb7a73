"""The plan of one workflow's publishing. Planning on its own result changes nothing, and a crash after any write is picked up.

Publishing is claim, then create: the number and digest are written to ``status.publishing`` with the resource version of the
very object that was digested; only a status that already holds this claim creates the version. Whoever worked on a stale copy
fails at the claim. A number is recorded in the ledger after its object exists, so no number is ever left out.
"""

from __future__ import annotations

import datetime as dt

from sluice.api.workflow import Contains, Publishing, Workflow
from sluice.domain.definition.contents import contains
from sluice.domain.publishing.approvals import Ruling, Rulings, missing_approvals, rule, to_withdraw
from sluice.domain.publishing.drafts import Intent, intent, next_number, version_spec
from sluice.domain.publishing.facts import DraftFacts, NewVersion, PublishFacts, PublishPlan
from sluice.domain.publishing.report import conditions_of
from sluice.domain.publishing.serving import live_number, version_moves, workflow_phase


def plan_publish(workflow: Workflow, draft: DraftFacts, facts: PublishFacts, *, now: dt.datetime) -> PublishPlan:
    """What is to be written for this workflow now; ``now`` is aware."""
    rulings = rule(facts.versions, facts.approvals, now=now)
    number = next_number(facts)
    wanted = intent(workflow, draft, facts, rulings, number)
    live = live_number(rulings, facts.rollout)
    publish = workflow.spec.publish
    conditions = conditions_of(workflow, draft, facts, rulings, intent=wanted, live=live)
    newest = rulings.newest
    return PublishPlan(
        claim=_claim(wanted, number),
        create=_create(workflow, draft, facts, wanted, number=number, now=now),
        record=_unrecorded(rulings, facts),
        approvals=missing_approvals(rulings, facts.approvals, publish.approval if publish else None),
        withdraw=to_withdraw(rulings, facts.approvals),
        moves=version_moves(rulings, facts.rollout, live),
        approved=tuple(rulings.ruled(Ruling.APPROVED)),
        conditions=tuple(
            conditions.settle(workflow.status.conditions, generation=workflow.metadata.generation, now=now)
        ),
        phase=workflow_phase(
            live=bool(live),
            pending=bool(rulings.ruled(Ruling.PENDING)),
            suspended=workflow.spec.suspend,
            problem=bool(facts.live_problems),
        ),
        version=f"v{newest.spec.number}" if newest else "v1",
        live=f"v{live}" if live else None,
        last_number=number - 1,
        contains=_contains(rulings, live),
        look_again=_look_again(rulings, now),
    )


def _claim(wanted: Intent, number: int) -> Publishing | None:
    return Publishing(number=number, digest=wanted.publication.digest) if wanted.publication else None


def _create(
    workflow: Workflow, draft: DraftFacts, facts: PublishFacts, wanted: Intent, *, number: int, now: dt.datetime
) -> NewVersion | None:
    """The version, once its claim is written."""
    if wanted.publication is None or workflow.status.publishing != _claim(wanted, number):
        return None
    spec = version_spec(workflow, draft, wanted.publication, facts, number=number, now=now)
    return NewVersion(f"{workflow.metadata.name}-v{number}", spec)


def _unrecorded(rulings: Rulings, facts: PublishFacts) -> tuple[tuple[int, str, int], ...]:
    return tuple(
        (version.spec.number, version.spec.digest, version.spec.level)
        for version in rulings.versions
        if version.spec.number > facts.ledger_highest
    )


def _contains(rulings: Rulings, live: int) -> Contains:
    found = next((version for version in rulings.versions if version.spec.number == live), None)
    return Contains.model_validate(contains(found.spec.definition)) if found else Contains()


def _look_again(rulings: Rulings, now: dt.datetime) -> dt.timedelta | None:
    ends = [
        rulings.decisions[number].expires
        for number, ruling in rulings.of.items()
        if number in rulings.decisions and ruling is Ruling.PENDING
    ]
    return min((end - now for end in ends if end is not None), default=None)
