"""`sluice describe`: all that is known about an object, for people."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from sluice.api.kinds import EVENT
from sluice.cli import output
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Failed
from sluice.cli.getting import Labels, Words, parse_words
from sluice.cli.verb import Verb, connect, verbs
from sluice.domain import durations
from sluice.domain.timestamps import parse_stamp

app = verbs()

UNSAID = frozenset({"managedFields", "name", "namespace", "labels", "annotations", "creationTimestamp"})
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@app.command(cls=Verb)
def describe(
    ctx: typer.Context,
    what: Words,
    *,
    labels: Labels = "",
    events: Annotated[bool, typer.Option(help="Show what happened to it.")] = True,
) -> None:
    """Tell all about an object.

    Spec, status, conditions and the newest events.
    """
    client, first = connect(ctx), True
    for kind, name in parse_words(what):
        found = [client.get(kind, name)] if name else client.list(kind, selection(labels=labels))
        if not found and not name:
            raise Failed(f"there are no {kind.plural} in the namespace {client.namespace}")
        for obj in found:
            if not first:
                print("\n")
            first = False
            happened = _events_of(client, obj) if events else []
            print("\n".join(described(obj, happened, dt.datetime.now(dt.UTC))))


def _events_of(client: Client, obj: Obj) -> list[Obj]:
    uid = obj["metadata"].get("uid", "")
    found = client.within(obj["metadata"].get("namespace")).list(EVENT, selection(fields=f"involvedObject.uid={uid}"))
    return sorted(found, key=when)


def when(event: Obj) -> str:
    """The time of an event's last occurrence, RFC 3339."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def described(obj: Obj, events: list[Obj], now: dt.datetime) -> list[str]:
    """The lines about one object; ``now`` tells how long ago its events were."""
    metadata, status = obj["metadata"], dict(obj.get("status") or {})
    conditions = status.pop("conditions", None) or []
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    lines = [
        f"{'Name:':<14}{metadata['name']}",
        f"{'Namespace:':<14}{metadata.get('namespace', '')}",
        f"{'Kind:':<14}{obj['kind']}.{obj['apiVersion']}",
        f"{'Created:':<14}{metadata.get('creationTimestamp', '')}",
        *_pairs("Labels:", metadata.get("labels") or {}),
        *_pairs("Annotations:", annotations),
    ]
    rest = {key: value for key, value in metadata.items() if key not in UNSAID}
    lines += _block("Metadata", rest)
    for key, value in obj.items():
        if key not in {"apiVersion", "kind", "metadata", "status"}:
            lines += _block(key.capitalize(), value)
    lines += _block("Status", status)
    keys = ("type", "status", "reason", "lastTransitionTime", "message")
    lines += _rows("Conditions", ("Type", "Status", "Reason", "Since", "Message"), conditions, keys)
    told = [{**event, "age": age_of(when(event), now)} for event in events]
    return lines + _rows("Events", ("Age", "Type", "Reason", "Message"), told, ("age", "type", "reason", "message"))


def age_of(text: str, now: dt.datetime) -> str:
    """How long ago, in the two largest units; empty for no time."""
    try:
        return durations.rough(dt.timedelta(seconds=max(0, int((now - parse_stamp(text)).total_seconds()))))
    except ValueError:
        return ""


def _pairs(label: str, pairs: Obj) -> list[str]:
    texts = [f"{key}={value}" for key, value in sorted(pairs.items())] or ["<none>"]
    return [f"{label if at == 0 else '':<14}{text}" for at, text in enumerate(texts)]


def _block(title: str, value: object) -> list[str]:
    if value in ({}, [], None):
        return []
    return [f"{title}:", *(f"  {line}" for line in output.as_yaml(value).splitlines())]


def _rows(title: str, headers: tuple[str, ...], items: list[Obj], keys: tuple[str, ...]) -> list[str]:
    if not items:
        return []
    rows = [[item.get(key) or "" for key in keys] for item in items]
    return [f"{title}:", *(f"  {line}" for line in output.table_lines(headers, rows))]
