"""`sluice diff`: what applying manifests would do, asked of the server by a dry run of each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from sluice.api.kinds import ENVIRONMENT_STATE, ROLLOUT, WORKFLOW, KindInfo, kind_of
from sluice.cli.client import Client, Obj
from sluice.cli.failures import FAILED, Refused, Wrong
from sluice.cli.manifests import read_manifests
from sluice.cli.objects import APPLIER
from sluice.cli.outlook import History, ObjectChange, object_change, publication
from sluice.cli.sources import source_of
from sluice.cli.verb import Verb, connect, verbs
from sluice.cli.workflows import condition_of, next_number, versions_of

app = verbs()

NOT_FOUND = 404
MARKS = {"created": "+", "changed": "~", "unchanged": "="}


class Layout(StrEnum):
    """How the differences are printed."""

    TEXT = "text"
    MARKDOWN = "markdown"


@app.command(cls=Verb)
def diff(
    ctx: typer.Context,
    directory: Annotated[
        str, typer.Argument(help="Folder or file with manifests; - reads stdin.", metavar="[DIR]")
    ] = ".",
    *,
    commits: Annotated[str, typer.Argument(help="Not in this release: two commits, A..B.", metavar="[A..B]")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Not in this release: compare without a server.")] = False,
    layout: Annotated[Layout, typer.Option("--output", "-o", help="How it is printed.")] = Layout.TEXT,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="End with 0 also when there are changes.")] = False,
) -> None:
    """Show what applying manifests would do.

    Which objects and versions, which steps change, how the rollout goes. Exit code: 0 nothing, 1 changes, 2 invalid.
    """
    if commits or offline or ".." in directory.replace("../", ""):
        raise Wrong(
            "comparing commits (A..B, --offline) is not part of this release; check out B and run `sluice diff DIR`"
        )
    manifests = read_manifests([directory])
    client = connect(ctx)
    changes = [_change(client, manifest, manifests) for manifest in manifests]
    print("\n".join(as_markdown(changes) if layout is Layout.MARKDOWN else as_text(changes)))
    if any(change.verb != "unchanged" for change in changes) and not exit_zero:
        raise typer.Exit(FAILED)


def _change(client: Client, manifest: Obj, manifests: Sequence[Obj]) -> ObjectChange:
    kind = kind_of(manifest["apiVersion"], manifest["kind"])
    if kind is None:
        raise Wrong(f"{manifest['apiVersion']} {manifest['kind']} is no kind that Sluice knows")
    metadata = manifest["metadata"]
    there = client.within(metadata.get("namespace"))
    if not metadata.get("name"):
        return ObjectChange(f"{kind.singular}.{kind.group}/{metadata.get('generateName')}", "created")
    before = there.find(kind, metadata["name"])
    after = _tried(client, kind, manifest, before)
    effects = _publication(there, after, before, manifests) if kind is WORKFLOW else []
    return object_change(before, after, effects=effects, notes=held(before) if before else [])


def _tried(client: Client, kind: KindInfo, manifest: Obj, before: Obj | None) -> Obj:
    """What would be stored, in the name of the source that applies it, else of `sluice apply`."""
    manager = (source_of(before, ("spec",)) if before else "") or APPLIER
    try:
        return client.apply(manifest, kind, manager=manager, force=True, dry_run=True)
    except Refused as refused:
        # Its namespace may be among the manifests and not there yet.
        if before is None and refused.code == NOT_FOUND:
            return manifest
        raise


def _publication(client: Client, after: Obj, before: Obj | None, manifests: Sequence[Obj]) -> list[str]:
    name = after["metadata"]["name"]
    rollout = _rollout(client, name, after["metadata"].get("namespace", ""), manifests)
    if before is None:
        return publication(after, History(), rollout)
    versions = versions_of(client, name)
    return publication(after, History(versions, next_number(before, versions)), rollout)


def _rollout(client: Client, workflow: str, namespace: str, manifests: Sequence[Obj]) -> Obj | None:
    """The Rollout that will hold: its own before the default policy, a manifest before what is on the server."""
    for name in (workflow, "default"):
        for manifest in manifests:
            there = manifest["metadata"].get("namespace") or namespace
            if manifest["kind"] == ROLLOUT.kind and manifest["metadata"].get("name") == name and there == namespace:
                return manifest
        found = client.find(ROLLOUT, name)
        if found is not None:
            return found
    return None


def held(obj: Obj) -> list[str]:
    """What people hold by hand, which applying does not end: who, since when, and the command that does."""
    if obj["kind"] == ENVIRONMENT_STATE.kind:
        overrides = obj["spec"].get("overrides") or {}
        workflow, _, environment = obj["metadata"]["name"].rpartition(".")
        return [
            f"switched off by {name}{_why(entry)}; `sluice activate {workflow} --env {environment}` ends it"
            for name, entry in sorted(overrides.items())
        ]
    holder = {"status": (obj.get("status") or {}).get("rollout")} if obj["kind"] == WORKFLOW.kind else obj
    message = condition_of(holder, "HeldByHand").get("message")
    return [str(message)] if message else []


def _why(entry: Obj) -> str:
    reason = f" ({entry['reason']})" if entry.get("reason") else ""
    return reason + (f" until {entry['until']}" if entry.get("until") else "")


def as_text(changes: Sequence[ObjectChange]) -> list[str]:
    """A line for each object, its details below; what does not change is counted."""
    lines: list[str] = []
    for change in changes:
        if change.verb == "unchanged" and not change.notes:
            continue
        lines.append(f"{MARKS[change.verb]} {change.name} {change.verb}")
        lines += [f"    {each}" for each in (*change.effects, *map(str, change.fields), *change.notes)]
    return [*lines, totals(changes)]


def as_markdown(changes: Sequence[ObjectChange]) -> list[str]:
    """The same for a pull request."""
    lines = [f"### Sluice: {totals(changes)}", ""]
    for change in changes:
        if change.verb == "unchanged" and not change.notes:
            continue
        lines.append(f"- **{change.name}** {change.verb}")
        lines += [f"  - {each}" for each in change.effects]
        lines += [f"  - `{str(field).replace('`', chr(39))}`" for field in change.fields]
        lines += [f"  - held by hand: {note}" for note in change.notes]
    return lines


def totals(changes: Sequence[ObjectChange]) -> str:
    """How many objects are created, changed and left alone."""
    counts = {verb: sum(change.verb == verb for change in changes) for verb in MARKS}
    return ", ".join(f"{count} {verb}" for verb, count in counts.items())
