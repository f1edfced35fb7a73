"""When a draft becomes a version, and what serves.

The entry is ``plan.plan_publish(workflow, draft: DraftFacts, facts: PublishFacts, *, now) -> PublishPlan``.
"""
