"""How a workflow is started: exactly one of six."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluice.api.fields import ApiModel, Duration, JsonMap, ObjectName, ShortText, Template, Timestamp, WorkflowName
from sluice.api.unions import ONE_KEY

TRIGGER_KINDS = ("webhook", "schedule", "manual", "event", "api", "queue")
Schema = JsonMap


class WebhookTrigger(ApiModel):
    """An HTTP POST to the workflow's own URL."""

    json_schema: Schema | None = Field(None, alias="schema")
    """JSON Schema of the body."""
    reject_invalid: bool | None = None
    """Answer 422 instead of starting a run that fails."""
    forge: ForgeTrigger | None = None
    """Pushes and pull requests of a repository instead of any POST."""


class ForgeTrigger(ApiModel):
    """A push or pull request at a forge."""

    provider: Annotated[str, Field(max_length=6, pattern="^(github|gitlab|gitea)$")]
    repository: ShortText
    branch: ShortText | None = None
    event: Annotated[str, Field(max_length=12, pattern="^(push|pull_request)$")] | None = None
    required_statuses: Annotated[list[ShortText], Field(max_length=32)] | None = None


class ScheduleTrigger(ApiModel):
    """A cron expression with a time zone, or an interval from a fixed anchor."""

    cron: Annotated[str, Field(max_length=128)] | None = None
    """Five fields: minute hour day-of-month month day-of-week."""
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    """IANA name; Etc/UTC unless said."""
    interval: Duration | None = None
    anchor: Timestamp | None = None
    """When the intervals are counted from; 1970-01-01T00:00:00Z unless said."""
    payload: JsonMap | None = None


class ManualTrigger(ApiModel):
    """Only by hand."""

    json_schema: Schema | None = Field(None, alias="schema")


class EventTrigger(ApiModel):
    """A named event on the bus."""

    name: ShortText
    workflow: WorkflowName | None = None
    """Only events of this workflow's runs."""
    filter: Template | None = None
    """An expression over ``payload``; only events for which it is true."""
    json_schema: Schema | None = Field(None, alias="schema")


class ApiTrigger(ApiModel):
    """``POST`` of a run by a program."""

    json_schema: Schema | None = Field(None, alias="schema")


class QueueTrigger(ApiModel):
    """A message of a queue."""

    connection: ObjectName
    queue: ShortText
    json_schema: Schema | None = Field(None, alias="schema")


class Trigger(ApiModel):
    """Exactly one of these keys."""

    model_config = {"json_schema_extra": ONE_KEY}

    webhook: WebhookTrigger | None = None
    schedule: ScheduleTrigger | None = None
    manual: ManualTrigger | None = None
    event: EventTrigger | None = None
    api: ApiTrigger | None = None
    queue: QueueTrigger | None = None
