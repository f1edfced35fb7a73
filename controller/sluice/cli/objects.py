"""`sluice apply`, `get` and `delete`: objects, for machines without kubectl."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.api.kinds import SLUICE_KINDS, KindInfo, kind_named, kind_of
from sluice.cli import output
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Failed, Wrong
from sluice.cli.manifests import read_manifests
from sluice.cli.verb import Output, Verb, connect, verbs

app = verbs()

APPLIER = "sluice-apply"
"""The field manager of `sluice apply`, the same for everybody, so that colleagues take over from each other."""
EVERY_KIND = frozenset({"all", "sluice"})

Words = Annotated[list[str], typer.Argument(help="KIND, KIND NAME..., KIND/NAME..., or KIND,KIND", metavar="WHAT...")]
Labels = Annotated[str, typer.Option("--selector", "-l", help="Label selector, such as team=support.")]
Fields = Annotated[str, typer.Option("--field-selector", help="Field selector, such as status.phase=Failed.")]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Let the server check it, and store nothing.")]


def parse_words(words: list[str]) -> list[tuple[KindInfo, str]]:
    """Kinds and names as people type them; an empty name means all of the kind. Wrong names what is unknown."""
    if any("/" in word for word in words):
        return [_kind_and_name(word) for word in words]
    first, *names = words
    kinds = list(SLUICE_KINDS) if first.lower() in EVERY_KIND else [kind_called(word) for word in first.split(",")]
    if names and len(kinds) > 1:
        raise Wrong("names go with one kind; write KIND/NAME for objects of several kinds")
    return [(kind, name) for kind in kinds for name in names or [""]]


def kind_called(word: str) -> KindInfo:
    """The kind that a word means; Wrong lists what there is."""
    kind = kind_named(word)
    if kind is None:
        known = ", ".join(each.plural for each in SLUICE_KINDS)
        raise Wrong(f"there is no kind {word!r}; there are {known} (and namespaces, secrets, configmaps, events)")
    return kind


def _kind_and_name(word: str) -> tuple[KindInfo, str]:
    kind, slash, name = word.partition("/")
    if not slash or not kind or not name:
        raise Wrong(f"{word!r}: where one is written as KIND/NAME, all are")
    return kind_called(kind), name


@app.command(cls=Verb)
def get(
    ctx: typer.Context,
    what: Words,
    format: Output = None,
    labels: Labels = "",
    fields: Fields = "",
    everywhere: Everywhere = False,
) -> None:
    """List objects, or show some.

    The same columns as kubectl.
    """
    client, wanted = connect(ctx), parse_words(what)
    chosen = selection(labels=labels, fields=fields)
    if output.is_whole(format) and format is not None:
        output.print_objects(
            _objects(client, wanted, chosen, everywhere=everywhere),
            format,
            as_list=len(wanted) > 1 or not wanted[0][1],
        )
        return
    tables = [
        (kind, client.table(kind, name, chosen, everywhere=everywhere and kind.namespaced)) for kind, name in wanted
    ]
    _print_tables(tables, wide=format is not None, everywhere=everywhere, where=client.namespace)


def _objects(
    client: Client, wanted: list[tuple[KindInfo, str]], chosen: dict[str, str], *, everywhere: bool
) -> list[Obj]:
    found: list[Obj] = []
    for kind, name in wanted:
        found += [client.get(kind, name)] if name else client.list(kind, chosen, everywhere=everywhere)
    return found


def _print_tables(tables: list[tuple[KindInfo, Obj]], *, wide: bool, everywhere: bool, where: str) -> None:
    """Tables of one kind as one, of several kinds with an empty line between; kinds without objects are passed over."""
    merged: dict[KindInfo, Obj] = {}
    for kind, table in tables:
        known = merged.setdefault(kind, {**table, "rows": []})
        known["rows"] += table.get("rows") or []
    filled = [(kind, table) for kind, table in merged.items() if table["rows"]]
    if not filled:
        typer.echo("No resources found" + ("" if everywhere else f" in {where} namespace."), err=True)
    for at, (kind, table) in enumerate(filled):
        if at:
            print()
        if len(merged) > 1:
            prefix = f"{kind.singular}.{kind.group}" if kind.group else kind.singular
            for row in table["rows"]:
                row["cells"][0] = f"{prefix}/{row['cells'][0]}"
        output.print_server_table(table, wide=wide, with_namespace=everywhere and kind.namespaced)


@app.command(cls=Verb)
def apply(
    ctx: typer.Context,
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
    if format is not None:
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
