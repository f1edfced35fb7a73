"""`sluice runs` and `report`: what ran, also where the objects are no longer kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli import output
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Failed, Refused
from sluice.cli.verb import Format, Output, Run, Verb, Workflow, connect, verbs
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


def _kept(client: Client, workflow: str, environment: str) -> list[Obj]:
    wanted = [f"spec.input.workflow={workflow}"]
    wanted += [f"spec.input.environment={environment}"] if environment else []
    found = client.list(WORKFLOW_RUN, selection(fields=",".join(wanted)))
    return sorted(found, key=lambda run: str(run["metadata"]["creationTimestamp"]), reverse=True)


def _recorded(client: Client, workflow: str, environment: str, limit: int) -> list[Obj] | None:
    """The ledger's record of runs; None where this server offers none."""
    query = {"workflow": workflow, "limit": str(limit)} | ({"environment": environment} if environment else {})
    try:
        answer = client.send("GET", f"/api/sluice/v1/namespaces/{client.namespace}/runs", query=query)
    except Refused as refused:
        if refused.code == NOT_FOUND:
            return None
        raise
    return list(answer["runs"])


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
        found = client.send("GET", f"{client.path(WORKFLOW_RUN, run)}/report")
    except Refused as refused:
        if refused.code == NOT_FOUND:
            raise Failed(f"there is no report of {run}: {refused}") from refused
        raise
    print(output.as_json(found) if format is Format.JSON else output.as_yaml(found))
