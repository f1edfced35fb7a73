"""`sluice runs` and `report`: what ran, also where the objects are no longer kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli import output
from sluice.cli.client import Client, Obj, selection
from sluice.cli.ending import SUCCEEDED
from sluice.cli.failures import Failed, Refused
from sluice.cli.records import NoRecord, Record
from sluice.cli.verb import Format, Output, Run, Verb, Workflow, connect, say, verbs
from sluice.cli.workflows import workflow_named
from sluice.domain import durations
from sluice.domain.timestamps import parse_stamp, stamp

app = verbs()

NOT_FOUND = 404
HEADERS = ("Name", "Env", "Version", "Phase", "Reason", "Started", "Duration", "Trigger", "Actor", "Replay Of")

OneEnvironment = Annotated[str, typer.Option("--env", "-e", help="Only runs in this environment.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=500)]


@app.command(cls=Verb)
def runs(
    ctx: typer.Context,
    workflow: Workflow,
    *,
    environment: OneEnvironment = "",
    limit: Limit = 20,
    format: Output = None,
) -> None:
    """List a workflow's runs.

    Newest first, from the record of all runs; with -o json, yaml or name the objects that are still kept.
    """
    client = connect(ctx)
    workflow_named(client, workflow)
    if output.is_whole(format):
        output.print_objects(_kept(client, workflow, environment)[:limit], format, as_list=True)
        return
    recorded = _recorded(client, workflow, environment, limit)
    if recorded is None:
        rows = [object_row(run) for run in _kept(client, workflow, environment)[:limit]]
    else:
        rows = [record_row(record) for record in recorded]
    output.print_table(HEADERS, rows)


def _recorded(client: Client, workflow: str, environment: str, limit: int) -> list[Obj] | None:
    """The record of all runs; None where it can't be asked, which is said."""
    try:
        return Record(client).runs(workflow, environment, limit)
    except NoRecord as error:
        say(f"only runs whose objects are kept; {error}")
    except Refused as refused:
        if refused.code != NOT_FOUND:
            raise
    return None


def _kept(client: Client, workflow: str, environment: str) -> list[Obj]:
    wanted = [f"spec.input.workflow={workflow}"]
    wanted += [f"spec.input.environment={environment}"] if environment else []
    found = client.list(WORKFLOW_RUN, selection(fields=",".join(wanted)))
    return sorted(found, key=lambda run: str(run["metadata"]["creationTimestamp"]), reverse=True)


def object_row(run: Obj) -> list[Any]:
    """A run's row from its object."""
    given, status = run["spec"]["input"], run.get("status") or {}
    return [
        run["metadata"]["name"],
        (run["spec"].get("pin") or {}).get("environment") or given.get("environment") or "",
        status.get("version") or "",
        status.get("phase") or "Pending",
        status.get("reason") or "",
        status.get("startedAt") or "",
        status.get("duration") or "",
        (given.get("trigger") or {}).get("type") or "",
        given.get("actor") or "",
        (given.get("replay") or {}).get("of") or "",
    ]


def record_row(record: Obj) -> list[Any]:
    """A run's row from its record in the ledger."""
    started, ended = record.get("startedAt") or "", record.get("endedAt") or ""
    return [
        record["name"],
        record.get("environment") or "",
        record.get("version") or "",
        record.get("phase") or "",
        record.get("reason") or "",
        stamp(parse_stamp(started)) if started else "",
        durations.text_of(parse_stamp(ended) - parse_stamp(started)) if started and ended else "",
        record.get("trigger") or "",
        record.get("actor") or "",
        record.get("replayOf") or "",
    ]


@app.command(cls=Verb)
def report(ctx: typer.Context, run: Run, format: Output = None) -> None:
    """Print the report of a run: success, context, steps, errors.

    As YAML, or as JSON with -o json; what was gathered before a failure stays in it.
    """
    client = connect(ctx)
    try:
        found = Record(client).report(run)
    except Refused as refused:
        if refused.code == NOT_FOUND:
            raise Failed(f"there is no report of {run}: {refused}") from refused
        raise
    except NoRecord as error:
        obj = client.find(WORKFLOW_RUN, run)
        if obj is None:
            raise Failed(f"there is no report of {run}: its object is not kept; {error}") from error
        say(f"only what the run's status tells, without context and what its steps gave; {error}")
        found = status_report(obj)
    print(output.as_json(found) if format is Format.JSON else output.as_yaml(found))


def status_report(run: Obj) -> Obj:
    """What a run's object tells of its report, under the same keys; of steps it lists those that failed or go on."""
    given, status = run["spec"]["input"], run.get("status") or {}
    phase = status.get("phase") or "Pending"
    told = {
        "success": phase == SUCCEEDED,
        "phase": phase,
        "reason": status.get("reason"),
        "run": {
            "id": status.get("id"),
            "uid": run["metadata"].get("uid"),
            "namespace": run["metadata"].get("namespace"),
            "name": run["metadata"]["name"],
            "workflow": given["workflow"],
            "environment": (run["spec"].get("pin") or {}).get("environment") or given.get("environment"),
            "version": status.get("version"),
        },
        **{key: status.get(key) for key in ("startedAt", "endedAt", "steps", "outputs", "failure", "counts")},
    }
    return {key: value for key, value in told.items() if value is not None}
