"""`sluice apply` and `delete`: objects come and go, for machines without kubectl."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.api.kinds import KindInfo, kind_of
from sluice.cli import output
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Failed, Wrong
from sluice.cli.getting import Labels, parse_words
from sluice.cli.manifests import read_manifests
from sluice.cli.verb import Output, Verb, connect, verbs

app = verbs()

APPLIER = "sluice-apply"
"""The field manager of `sluice apply`, the same for everybody, so that colleagues take over from each other."""

DryRun = Annotated[bool, typer.Option("--dry-run", help="Let the server check it, and store nothing.")]


@app.command(cls=Verb)
def apply(
    ctx: typer.Context,
    *,
    files: Annotated[
        list[str], typer.Option("--filename", "-f", help="File or folder; - reads stdin.", metavar="PATH")
    ],
    format: Output = None,
    dry_run: DryRun = False,
    force: Annotated[bool, typer.Option("--force-conflicts", help="Take over fields that others own.")] = False,
) -> None:
    """Apply manifests.

    All are checked before the first is sent; then each is merged by the server, field by field.
    """
    client = connect(ctx)
    applied = []
    for manifest in read_manifests(files):
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        if kind is None:
            raise Wrong(f"{manifest['apiVersion']} {manifest['kind']} is no kind that Sluice knows")
        applied.append(_apply_one(client, kind, manifest, force=force, dry_run=dry_run))
    if output.is_whole(format):
        output.print_objects([obj for obj, _ in applied], format, as_list=len(applied) != 1)
        return
    for obj, done in applied:
        print(f"{output.name_of(obj)} {done}{' (dry run)' if dry_run else ''}")


def _apply_one(client: Client, kind: KindInfo, manifest: Obj, *, force: bool, dry_run: bool) -> tuple[Obj, str]:
    """Send one manifest; what became of it is told as kubectl tells it."""
    if not manifest["metadata"].get("name"):
        return client.create(manifest, kind, manager=APPLIER, dry_run=dry_run), "created"
    before = client.within(manifest["metadata"].get("namespace")).find(kind, manifest["metadata"]["name"])
    obj = client.apply(manifest, kind, manager=APPLIER, force=force, dry_run=dry_run)
    if before is None:
        return obj, "created"
    return obj, "unchanged" if is_same(before, obj) else "configured"


def is_same(before: Obj, after: Obj) -> bool:
    """Whether a write left everything but its own traces as it was."""
    return _substance(before) == _substance(after)


def _substance(obj: Obj) -> Obj:
    metadata = {key: obj["metadata"].get(key) or {} for key in ("labels", "annotations")}
    rest = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
    return {**rest, "metadata": metadata}


@app.command(cls=Verb)
def delete(
    ctx: typer.Context,
    what: Annotated[list[str] | None, typer.Argument(help="KIND NAME..., or KIND/NAME...", metavar="WHAT...")] = None,
    *,
    files: Annotated[
        list[str] | None, typer.Option("--filename", "-f", help="What these manifests name.", metavar="PATH")
    ] = None,
    labels: Labels = "",
    all: Annotated[bool, typer.Option("--all", help="All objects of the kind.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Delete objects.

    What belongs to them goes with them: a workflow takes its versions along.
    """
    client = connect(ctx)
    for kind, name, namespace in _to_delete(client, what or [], files or [], labels, everything=all):
        client.within(namespace).delete(kind, name, dry_run=dry_run)
        print(f'{kind.singular}{"." + kind.group if kind.group else ""} "{name}" deleted')


def _to_delete(
    client: Client, what: list[str], files: list[str], labels: str, *, everything: bool
) -> list[tuple[KindInfo, str, str]]:
    if bool(what) == bool(files):
        raise Wrong("say what to delete: KIND NAME, KIND/NAME, or -f with manifests")
    if files:
        manifests = read_manifests(files)
        known = [(kind_of(each["apiVersion"], each["kind"]), each["metadata"]) for each in manifests]
        return [(kind, meta["name"], meta.get("namespace", "")) for kind, meta in known if kind and meta.get("name")]
    found = []
    for kind, name in parse_words(what):
        if name:
            found.append((kind, name, ""))
        elif labels or everything:
            found += [(kind, obj["metadata"]["name"], "") for obj in client.list(kind, selection(labels=labels))]
        else:
            raise Failed(f"name the {kind.plural} to delete, or choose them with -l, or say --all")
    return found
