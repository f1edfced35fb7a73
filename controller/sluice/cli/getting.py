"""`sluice get`: objects as the server lays them out, for machines without kubectl."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.api.kinds import SLUICE_KINDS, KindInfo, kind_named
from sluice.cli import output
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Wrong
from sluice.cli.verb import Output, Verb, connect, verbs

app = verbs()

EVERY_KIND = frozenset({"all", "sluice"})

Words = Annotated[list[str], typer.Argument(help="KIND, KIND NAME..., KIND/NAME..., or KIND,KIND", metavar="WHAT...")]
Labels = Annotated[str, typer.Option("--selector", "-l", help="Label selector, such as team=support.")]
Fields = Annotated[str, typer.Option("--field-selector", help="Field selector, such as status.phase=Failed.")]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces.")]


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
    *,
    format: Output = None,
    labels: Labels = "",
    fields: Fields = "",
    everywhere: Everywhere = False,
) -> None:
    """List objects, or show some.

    The same columns as kubectl.
    """
    wanted, chosen = parse_words(what), selection(labels=labels, fields=fields)
    if any(name for _, name in wanted) and (chosen or everywhere):
        raise Wrong("an object is named, or objects are chosen with -l, --field-selector or -A; not both")
    client = connect(ctx)
    if output.is_whole(format):
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
