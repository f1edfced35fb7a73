"""`sluice watch` and `logs`: a run while it goes on."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Annotated

import typer

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli import output
from sluice.cli.client import Client, Obj
from sluice.cli.ending import exit_code_of, has_ended, summary
from sluice.cli.failures import Failed, Refused, Wrong
from sluice.cli.podlogs import NoPods, PodLogs, client_of_pods
from sluice.cli.records import NoRecord, Record
from sluice.cli.verb import Format, Output, Run, Verb, connect, verbs
from sluice.cli.workflows import seconds_of, states_of

app = verbs()

FORBIDDEN = 403
LOOK_EVERY = 1.0
"""Seconds between two looks at the log of a run whose status does not move."""
LAST_WORDS = 5.0
"""Seconds in which the pods of an ended run may still say something."""


@app.command(cls=Verb)
def watch(
    ctx: typer.Context,
    run: Run,
    timeout: Annotated[str, typer.Option(help="How long at most, such as 5m.", metavar="DURATION")] = "",
    format: Output = None,
) -> None:
    """Follow a run until it ends.

    A line for each change; the exit code is 1 unless it succeeded. With -o json one object on each line.
    """
    client, last = connect(ctx), ""
    for obj in states_of(client, WORKFLOW_RUN, run, seconds=seconds_of(timeout) if timeout else None):
        line = summary(obj)
        if line != last:
            _print_state(obj, line, format)
            last = line
        if has_ended(obj):
            raise typer.Exit(exit_code_of(obj))
    raise Failed(f"{run} did not end within {timeout}; it goes on")


def _print_state(obj: Obj, line: str, format: Output) -> None:
    if format is None or format is Format.WIDE:
        print(line, flush=True)
    elif format is Format.JSON:
        print(output.as_line(output.without_managers(obj)), flush=True)
    elif format is Format.YAML:
        print("---\n" + output.as_yaml(output.without_managers(obj)), flush=True)
    else:
        print(output.name_of(obj), flush=True)


@app.command(cls=Verb)
def logs(
    ctx: typer.Context,
    run: Run,
    *,
    step: Annotated[str, typer.Option(help="Only this step's.")] = "",
    tail: Annotated[int, typer.Option(help="Only so many last lines; 0 for all.", min=0)] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
) -> None:
    """Print what a run's steps wrote.

    On a cluster what its pods print, while they are there, and what the controller recorded afterwards.
    """
    if follow and tail:
        raise Wrong("--tail goes without --follow: what is followed is printed from the beginning")
    client = connect(ctx)
    query = ({"step": step} if step else {}) | ({"tail": str(tail)} if tail else {})
    if not client.is_embedded:
        _print_pods(client, run, query, follow=follow)
    elif follow:
        _follow_record(client, run, query)
    else:
        _write(Record(client).log(run, query))


def _follow_record(client: Client, run: str, query: dict[str, str]) -> None:
    written = 0
    while True:
        # First the state, then the log: what an ended run wrote is all there.
        ended = _is_over(client, run)
        text = Record(client).log(run, query)
        _write(text[written:])
        written = len(text)
        if ended:
            return
        _await_change(client, run)


def _print_pods(client: Client, run: str, query: dict[str, str], *, follow: bool) -> None:
    """The pods' own lines; where there are no pods, or none that one may see, the record's."""
    try:
        _write_pods(client, run, query, follow=follow)
    except NoPods as gone:
        try:
            if follow:
                _follow_record(client, run, query)
            else:
                _write(Record(client).log(run, query))
        except (NoRecord, Refused) as error:
            raise Failed(f"{gone}; {error}") from error


def _write_pods(client: Client, run: str, query: dict[str, str], *, follow: bool) -> None:
    obj = client.find(WORKFLOW_RUN, run)
    if obj is None:
        raise NoPods(f'there is no run "{run}" in the namespace {client.namespace} any more')
    pods = PodLogs(client_of_pods(client, obj), obj["metadata"]["uid"], query.get("step", ""))
    try:
        seen = bool(pods.pods())
    except Refused as refused:
        if refused.code == FORBIDDEN:
            raise NoPods(f"the run's pods can't be seen: {refused}") from refused
        raise
    if not seen and (has_ended(obj) or not follow):
        raise NoPods(f"{run} has no pods" + (" any more" if has_ended(obj) else ""))
    if follow:
        _follow_pods(client, run, pods)
        return
    lines = deque[str](maxlen=int(query["tail"]) if "tail" in query else None)
    try:
        lines.extend(pods.lines())
    finally:
        _write("".join(lines))


def _follow_pods(client: Client, run: str, pods: PodLogs) -> None:
    last_look = 0.0
    while True:
        # First the state, then the pods: those of an ended run are all there.
        ended = _is_over(client, run)
        last_look = last_look or (time.monotonic() + LAST_WORDS if ended else 0.0)
        for line in pods.lines(follow=not ended):
            _write(line)
        if ended and (pods.is_whole or time.monotonic() > last_look):
            return
        _await_change(client, run)


def _is_over(client: Client, run: str) -> bool:
    obj = client.find(WORKFLOW_RUN, run)
    return obj is None or has_ended(obj)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _await_change(client: Client, run: str) -> None:
    """Until the run's status moves, or a second is over."""
    states = states_of(client, WORKFLOW_RUN, run, seconds=LOOK_EVERY)
    next(states)
    for _ in states:
        return
