"""Values that have rules of their own: durations, schedules, JSON schemas, parameters' defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from sluice.domain.definition.validation.findings import Code, Finding, join, of_problem
from sluice.domain.definition.validation.outline import Outline, StepAt
from sluice.domain.definition.validation.sentences import shown
from sluice.domain.durations import microseconds
from sluice.domain.expressions.schema import check_schema

DAY = 86_400_000_000
LONGEST = 366 * DAY
"""No timeout, wait or interval is longer than a year."""

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def check_values(outline: Outline) -> Iterator[Finding]:
    """Every finding about such values in a definition."""
    definition, field = outline.definition, outline.field
    yield from check_duration(definition.get("timeout"), join(field, "timeout"))
    yield from _check_trigger(definition.get("trigger") or {}, join(field, "trigger"))
    for graph in outline.graphs():
        if not graph.final:
            for name, declared in graph.params.items():
                yield from _check_parameter(declared, join(graph.field, "params", name))
        for step in graph.steps:
            yield from _check_step(step)


def _check_step(step: StepAt) -> Iterator[Finding]:
    """Fields are spelled only where there is something to look at: most steps have nothing of all this."""
    body = step.body
    if body.get("timeout") is not None:
        yield from check_duration(body["timeout"], step.at("timeout"))
    if body.get("retry"):
        yield from _check_retry(body["retry"], step.at("retry"))
    approval, wait = body.get("approval") or {}, (body.get("logic") or {}).get("wait") or {}
    for key in ("sla", "timeout"):
        if approval.get(key) is not None:
            yield from check_duration(approval[key], step.at("approval", key))
    if wait.get("timeout") is not None:
        yield from check_duration(wait["timeout"], step.at("logic", "wait", "timeout"))
    pause = wait.get("for")
    if pause is not None and "${" not in pause:
        yield from check_duration(pause, step.at("logic", "wait", "for"))
    schema = (body.get("agent") or {}).get("output")
    if schema is not None:
        yield from _check_schema(schema, step.at("agent", "output"))


def check_duration(text: str | None, field: str, *, least: int = 1) -> Iterator[Finding]:
    """Whether a duration is longer than nothing and not longer than a year; ``least`` in microseconds."""
    if text is None:
        return
    try:
        length = microseconds(text)
    except ValueError as error:
        yield Finding(field, str(error), code=Code.WRONG_FORM)
        return
    if length < least:
        yield Finding(
            field, f"{text} is too short; write at least {'1s' if least > 1 else '1ms'}", code=Code.OUT_OF_BOUNDS
        )
    elif length > LONGEST:
        yield Finding(field, f"{text} is more than a year; write at most 366d", code=Code.OUT_OF_BOUNDS)


def _check_retry(retry: Mapping[str, Any], field: str) -> Iterator[Finding]:
    backoff = retry.get("backoff") or {}
    yield from check_duration(retry.get("maxDuration"), join(field, "maxDuration"))
    found = [
        *check_duration(backoff.get("duration"), join(field, "backoff", "duration"), least=0),
        *check_duration(backoff.get("max"), join(field, "backoff", "max"), least=0),
    ]
    yield from found
    longest, first = backoff.get("max") or "5m", backoff.get("duration") or "1s"
    if not found and microseconds(longest) < microseconds(first):
        where = "max" if backoff.get("max") else "duration"
        message = f"the first wait ({first}) is longer than the longest ({longest}); raise max"
        yield Finding(join(field, "backoff", where), message, code=Code.CONFLICT)


def _check_trigger(trigger: Mapping[str, Any], field: str) -> Iterator[Finding]:
    for kind, body in trigger.items():
        if body and body.get("schema") is not None:
            yield from _check_schema(body["schema"], join(field, kind, "schema"))
    if trigger.get("schedule") is not None:
        yield from _check_schedule(trigger["schedule"], join(field, "schedule"))


def _check_schedule(schedule: Mapping[str, Any], field: str) -> Iterator[Finding]:
    """Cron or interval, and no schedule that would be ignored in silence (R243)."""
    cron, interval = schedule.get("cron"), schedule.get("interval")
    if (cron is None) == (interval is None):
        used = "has both cron and interval" if cron is not None else "has neither cron nor interval"
        yield Finding(field, f"the schedule {used}; write exactly one", code=Code.ONE_OF)
    for key, owner, other in (("timeZone", "cron", interval), ("anchor", "interval", cron)):
        if schedule.get(key) is not None and other is not None:
            yield Finding(join(field, key), f"{key} belongs to {owner}; remove it", code=Code.CONFLICT)
    if cron is not None:
        yield from _check_cron(cron, join(field, "cron"))
    yield from check_duration(interval, join(field, "interval"), least=1_000_000)
    zone = schedule.get("timeZone")
    if zone is not None and not is_time_zone(zone):
        message = f"{shown(zone)} is no time zone; write an IANA name such as Europe/Berlin or Etc/UTC"
        yield Finding(join(field, "timeZone"), message, code=Code.SCHEDULE)
    anchor = schedule.get("anchor")
    if anchor is not None and not is_timestamp(anchor):
        message = f"{shown(anchor)} is no point in time; write one such as 2026-01-01T06:00:00Z"
        yield Finding(join(field, "anchor"), message, code=Code.SCHEDULE)


def _check_cron(cron: str, field: str) -> Iterator[Finding]:
    advice = "write five fields: minute hour day-of-month month day-of-week, such as 0 6 * * 1"
    if len(cron.split()) != 5:
        yield Finding(field, f"{shown(cron)} has {len(cron.split())} fields; {advice}", code=Code.SCHEDULE)
        return
    try:
        next(CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        yield Finding(field, f"{shown(cron)} is no cron expression ({error}); {advice}", code=Code.SCHEDULE)
    except StopIteration:
        yield Finding(field, f"{shown(cron)} never fires; correct day and month", code=Code.SCHEDULE)


def is_time_zone(name: str) -> bool:
    """Whether the time zone database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def is_timestamp(text: str) -> bool:
    """Whether ``text`` is a point in time with its offset, as RFC 3339 has it."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None and "T" in text
    except ValueError:
        return False


def _check_schema(schema: Any, field: str) -> Iterator[Finding]:
    for problem in check_schema(schema):
        if "is not valid under any" in problem.message:
            said = problem.message.partition(" is not valid under")[0]
            message = f"{said} can't stand here in a schema; write what JSON Schema 2020-12 knows"
            problem = replace(problem, message=message)  # noqa: PLW2901  (the validator's words name its own schemas)
        yield of_problem(problem, field, Code.SCHEMA)


def _check_parameter(declared: Mapping[str, Any], field: str) -> Iterator[Finding]:
    kind, default, choices = declared["type"], declared.get("default"), declared.get("enum")
    values = [(join(field, "enum", index), value) for index, value in enumerate(choices or ())]
    if default is not None:
        values.append((join(field, "default"), default))
    for where, value in values:
        if not is_of_type(value, kind):
            yield Finding(where, f"{shown(value)} is not of type {kind}; change one of them", code=Code.PARAMETER)
    if default is not None and choices and default not in choices:
        message = f"{shown(default)} is not among enum; write one of {shown(choices)[1:-1]}"
        yield Finding(join(field, "default"), message, code=Code.PARAMETER)


def is_of_type(value: Any, kind: str) -> bool:
    """Whether JSON counts ``value`` as of this type; 3.0 is an integer, true is none."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _JSON_TYPES[kind])
