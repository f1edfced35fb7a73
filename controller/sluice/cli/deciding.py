"""`sluice approvals`, `approve` and `reject`: what waits for people."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.api.kinds import APPROVAL
from sluice.cli import output
from sluice.cli.client import Obj, selection
from sluice.cli.failures import Failed
from sluice.cli.payload import read_json
from sluice.cli.verb import Format, Output, Reason, Verb, connect, named, say, verbs

app = verbs()

PENDING = "Pending"
Name = Annotated[
    str,
    typer.Argument(help="Name of the approval.", metavar="APPROVAL", show_default=False, callback=named(APPROVAL)),
]


@app.command(cls=Verb)
def approvals(
    ctx: typer.Context,
    all: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    format: Output = None,
) -> None:
    """List what waits for a decision."""
    client = connect(ctx)
    chosen = {} if all else selection(fields=f"status.phase={PENDING}")
    if output.is_whole(format):
        output.print_objects(client.list(APPROVAL, chosen), format, as_list=True)
        return
    table = client.table(APPROVAL, chosen=chosen)
    if not table.get("rows"):
        say("nothing waits for a decision")
        return
    output.print_server_table(table, wide=format is Format.WIDE)


@app.command(cls=Verb)
def approve(
    ctx: typer.Context,
    approval: Name,
    *,
    payload: Annotated[
        str, typer.Option(help="Of a step: the edited payload, as JSON, @file or - for stdin.", metavar="JSON")
    ] = "",
    reason: Reason = "",
    format: Output = None,
) -> None:
    """Approve what waits for a decision.

    In your own name, as the server knows you; it can't be taken back.
    """
    edited = {"payload": read_json("--payload", payload)} if payload else {}
    _decide(ctx, approval, {"verdict": "Approved", **edited, **_because(reason)}, format)


@app.command(cls=Verb)
def reject(
    ctx: typer.Context,
    approval: Name,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for who asked.", show_default=False)],
    format: Output = None,
) -> None:
    """Reject what waits for a decision.

    One rejection is enough; it can't be taken back.
    """
    _decide(ctx, approval, {"verdict": "Rejected", **_because(reason)}, format)


def _decide(ctx: typer.Context, name: str, decision: Obj, format: Format | None) -> None:
    client = connect(ctx)
    obj = client.get(APPROVAL, name)
    phase = (obj.get("status") or {}).get("phase", PENDING)
    if phase != PENDING:
        raise Failed(f"{name} is {phase} already")
    if client.user in (obj["spec"].get("decisions") or {}):
        raise Failed(f"you decided on {name} already: {obj['spec']['decisions'][client.user]['verdict']}")
    entry = {client.user: {**decision, "by": client.user}}
    # Only on the state that was looked at: nobody approves what changed under their eyes.
    metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
    patch = {"metadata": metadata, "spec": {"decisions": entry}}
    made = client.patch(APPROVAL, name, patch, manager=client.manager)
    if output.is_whole(format):
        output.print_objects([made], format, as_list=False)
    else:
        print(f"{name} {decision['verdict'].lower()} by {client.user}")


def _because(reason: str) -> Obj:
    return {"reason": reason} if reason else {}
