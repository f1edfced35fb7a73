"""How a workflow's new versions take over from the one before.

The entry is ``plan.plan_rollout(spec | None, status, facts: RolloutFacts, *, now) -> RolloutPlan``.
"""
