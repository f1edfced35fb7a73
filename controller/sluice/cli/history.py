"""`sluice versions` and `show`: a workflow's version history, and what a version does."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.cli import output
from sluice.cli.client import Obj
from sluice.cli.verb import Format, Output, Verb, Workflow, connect, verbs
from sluice.cli.workflows import version_numbered, versions_of, workflow_named

app = verbs()

HEADERS = ("Version", "ID", "Digest", "By", "At", "Phase", "Outcome", "Revert Of", "Source")
SHORT_DIGEST = len("sha256:") + 12

Version = Annotated[str, typer.Argument(help="Which version, such as v3.", metavar="VERSION", show_default=False)]


@app.command(cls=Verb)
def versions(ctx: typer.Context, workflow: Workflow, format: Output = None) -> None:
    """List a workflow's version history.

    Newest first: who published what, when, from where, and what became of it.
    """
    client = connect(ctx)
    workflow_named(client, workflow)
    found = versions_of(client, workflow)[::-1]
    if output.is_whole(format):
        output.print_objects(found, format, as_list=True)
        return
    wide = format is Format.WIDE
    output.print_table(
        [*HEADERS, "Reason"] if wide else HEADERS, [history_row(version, wide=wide) for version in found]
    )


def history_row(version: Obj, *, wide: bool) -> list[str]:
    """One version as a row; ``wide`` shows the whole digest and why it was published."""
    spec, status = version["spec"], version.get("status") or {}
    source = spec.get("source") or {}
    row = [
        f"v{spec['number']}",
        status.get("id", ""),
        spec["digest"] if wide else spec["digest"][:SHORT_DIGEST],
        spec["publishedBy"],
        spec["publishedAt"],
        status.get("phase", ""),
        status.get("outcome") or "",
        spec.get("revertOf") or "",
        source.get("revision") or source.get("manager") or "",
    ]
    return [*row, spec.get("reason") or ""] if wide else row


@app.command(cls=Verb)
def show(ctx: typer.Context, workflow: Workflow, version: Version, format: Output = None) -> None:
    """Print what a version does.

    Its definition as YAML, ready to stand under spec.definition; the whole object with -o.
    """
    found = version_numbered(connect(ctx), workflow, version)
    if output.is_whole(format):
        output.print_objects([found], format, as_list=False)
    else:
        print(output.as_yaml(found["spec"]["definition"]))
