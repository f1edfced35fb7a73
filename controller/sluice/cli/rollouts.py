"""`sluice rollout`: see and steer how a version takes over. Every verb changes the Rollout's spec, never a status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from sluice.api.kinds import ROLLOUT
from sluice.api.rollout import RolloutSpec, RolloutStatus
from sluice.cli import output, steering
from sluice.cli.client import Client, Obj
from sluice.cli.sources import refuse_owned
from sluice.cli.steering import Course, Steering, own_rollout
from sluice.cli.verb import Format, Output, Reason, Verb, Workflow, connect, verbs
from sluice.cli.workflows import workflow_named

app = verbs()

POLICY = "default"
"""The Rollout that holds for every workflow of its namespace without one of its own."""

LABEL = 18
"""Characters of the column with the names of facts."""
TOLD = frozenset({"Progressing", "HeldByHand", "GateStarving", "CandidateStarved"})
"""Conditions that say why a rollout stands where it stands."""


@app.callback()
def rollout() -> None:
    """See and steer how a version takes over."""


@app.command(cls=Verb)
def status(ctx: typer.Context, workflow: Workflow, format: Output = None) -> None:
    """Tell where a workflow's rollout stands."""
    client = connect(ctx)
    obj = workflow_named(client, workflow)
    if output.is_whole(format):
        output.print_objects([client.find(ROLLOUT, workflow) or obj], format, as_list=False)
        return
    told = status_lines(obj, (obj.get("status") or {}).get("rollout") or {}, wide=format is Format.WIDE)
    print("\n".join(told))


def status_lines(workflow: Obj, rollout: Obj, *, wide: bool = False) -> list[str]:
    """The rollout in words: a line for each fact, then how runs were dealt out and what people asked for."""
    facts = {
        "Workflow": workflow["metadata"]["name"],
        "Phase": rollout.get("phase") or "Idle",
        "Stable": _mark(rollout.get("stable")),
        "Candidate": _mark(rollout.get("candidate")),
        "Queued": _mark(rollout.get("queued")),
        "Percent": f"{rollout.get('percent', '0')} %" if rollout.get("candidate") else "",
        "Actual": f"{rollout['actualPercent']} %" if rollout.get("actualPercent") else "",
        "Step": str(rollout.get("step", 0)) if rollout.get("candidate") else "",
        "Since": rollout.get("since") or "",
    }
    lines = [f"{name + ':':<{LABEL}}{value}" for name, value in facts.items() if value]
    lines += [
        f"{condition['type'] + ':':<{LABEL}}{condition['reason']}: {condition['message']}".rstrip()
        for condition in rollout.get("conditions") or ()
        if condition["type"] in TOLD
    ]
    lines += _section(
        ("Environment", "Candidate", "Stable"),
        [(runs["environment"], runs["candidate"], runs["stable"]) for runs in rollout.get("runs") or ()],
    )
    lines += _section(
        ("Request", "Version", "State", "By", "Since", "Message"),
        [
            tuple(asked.get(key) or "" for key in ("kind", "key", "state", "by", "since", "message"))
            for asked in rollout.get("requests") or ()
        ],
    )
    history = rollout.get("history") or ()
    keys = ("outcome", "attempt", "started", "ended", "reason", "message")
    return lines + _section(
        ("Version", "Outcome", "Attempt", "Started", "Ended", "Reason", "Message"),
        [(f"v{each['number']}", *(each.get(key) or "" for key in keys)) for each in (history if wide else history[:5])],
    )


def _mark(mark: Obj | None) -> str:
    return f"v{mark['number']}" if mark else ""


def _section(headers: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    return ["", *output.table_lines(headers, rows)] if rows else []


@app.command("set", cls=Verb)
def set_(
    ctx: typer.Context,
    workflow: Workflow,
    percent: Annotated[str, typer.Option(help="0 to 100, with up to two decimals.", show_default=False)],
    format: Output = None,
) -> None:
    """Set the percentage of new runs that the new version takes."""
    _steer(connect(ctx), workflow, lambda course: steering.set_percent(course, percent), format)


@app.command(cls=Verb)
def advance(ctx: typer.Context, workflow: Workflow, format: Output = None) -> None:
    """Let the walk on to its next step, without the rest of its pause and gate."""
    _steer(connect(ctx), workflow, steering.advance, format)


@app.command(cls=Verb)
def hold(ctx: typer.Context, workflow: Workflow, reason: Reason = "", format: Output = None) -> None:
    """Keep the walk where it is."""
    _steer(connect(ctx), workflow, lambda course: steering.hold(course, reason), format)


@app.command(cls=Verb)
def resume(ctx: typer.Context, workflow: Workflow, format: Output = None) -> None:
    """End a hold, or a percentage that was set by hand."""
    _steer(connect(ctx), workflow, steering.resume, format)


@app.command(cls=Verb)
def stop(ctx: typer.Context, workflow: Workflow, reason: Reason = "", format: Output = None) -> None:
    """Send every new run to the stable version, at once."""
    _steer(connect(ctx), workflow, lambda course: steering.stop(course, reason), format)


@app.command(cls=Verb)
def retry(ctx: typer.Context, workflow: Workflow, format: Output = None) -> None:
    """Start a stopped version again, without publishing it anew."""
    _steer(connect(ctx), workflow, steering.retry, format)


def _steer(client: Client, workflow: str, decide: Callable[[Course], Steering], format: Output) -> None:
    """Look, decide, write: to the workflow's own Rollout, which is made when there is none."""
    obj = workflow_named(client, workflow)
    own = client.find(ROLLOUT, workflow)
    policy = None if own else client.find(ROLLOUT, POLICY)
    wanted = decide(course_of(obj, own or policy))
    if wanted.spec:
        own = _write(client, workflow, own=own, policy=policy, spec=wanted.spec)
    if output.is_whole(format):
        output.print_objects([own or obj], format, as_list=False)
    else:
        print(wanted.told)


def course_of(workflow: Obj, rollout: Obj | None) -> Course:
    """What the decisions are made from."""
    status = (workflow.get("status") or {}).get("rollout") or {}
    spec = rollout["spec"] if rollout else {}
    return Course(workflow["metadata"]["name"], RolloutStatus.model_validate(status), RolloutSpec.model_validate(spec))


def _write(client: Client, workflow: str, *, own: Obj | None, policy: Obj | None, spec: Obj) -> Obj:
    if own is not None:
        refuse_owned(own, {"spec": spec})
        metadata = {"resourceVersion": own["metadata"]["resourceVersion"]} if "percent" in spec else {}
        return client.patch(ROLLOUT, workflow, {"metadata": metadata, "spec": spec}, manager=client.manager)
    made = own_rollout(workflow, policy)
    made["spec"] |= {key: value for key, value in spec.items() if value is not None}
    return client.create(made, ROLLOUT, manager=client.manager)
