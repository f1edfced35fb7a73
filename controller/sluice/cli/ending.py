"""How a run goes and how it ended, in words; and waiting for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from sluice.api.kinds import WORKFLOW_RUN
from sluice.cli import output
from sluice.cli.client import Client, Obj
from sluice.cli.failures import FAILED, Failed
from sluice.cli.verb import Format
from sluice.cli.workflows import seconds_of, states_of

ENDED = frozenset({"Succeeded", "Failed", "Error", "Cancelled", "Rejected"})
SUCCEEDED = "Succeeded"


def phase_of(run: Obj) -> str:
    """Where a run is."""
    return str((run.get("status") or {}).get("phase") or "Pending")


def has_ended(run: Obj) -> bool:
    """Whether nothing more happens to it."""
    return phase_of(run) in ENDED


def summary(run: Obj) -> str:
    """One line about a run: where it is, which version, and why it is so."""
    status = run.get("status") or {}
    parts = [phase_of(run), status.get("version") or "", f"step {status['step']}" if status.get("step") else ""]
    told = ", ".join(part for part in parts if part)
    failure = status.get("failure") or {}
    reason, message = failure.get("reason") or status.get("reason") or "", failure.get("message") or ""
    why = ": ".join(part for part in (reason, message) if part and part != phase_of(run))
    duration = f" after {status['duration']}" if has_ended(run) and status.get("duration") else ""
    return f"{run['metadata']['name']}: {told}{duration}" + (f" ({why})" if why else "")


def exit_code_of(run: Obj) -> int:
    """0 only for a run that succeeded."""
    return 0 if phase_of(run) == SUCCEEDED else FAILED


def wait_until_ended(client: Client, name: str, *, timeout: str) -> Obj:
    """The run once it ended; progress goes to a terminal only. Failed when it takes longer, and the run goes on."""
    with _progress(name) as tell:
        for run in states_of(client, WORKFLOW_RUN, name, seconds=seconds_of(timeout) if timeout else None):
            if has_ended(run):
                return run
            tell(summary(run))
    raise Failed(f"{name} did not end within {timeout}; it goes on, see `sluice watch {name}`")


def finish(run: Obj, format: Format | None) -> None:
    """Print an ended run and end with its exit code: its outputs as JSON are the result."""
    if output.is_whole(format):
        output.print_objects([run], format, as_list=False)
    else:
        typer.echo(summary(run))
        outputs = (run.get("status") or {}).get("outputs")
        if outputs:
            typer.echo(output.as_json(outputs))
        tail = ((run.get("status") or {}).get("failure") or {}).get("logTail")
        if tail:
            typer.echo(tail.rstrip("\n"), err=True)
    raise typer.Exit(exit_code_of(run))


def _silent(_: str) -> None:
    """Tells nothing: nobody watches."""


@contextmanager
def _progress(name: str) -> Iterator[Callable[[str], None]]:
    """What shows the newest line beside a spinner, on a terminal."""
    if not output.is_terminal():
        yield _silent
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it

    with Console(stderr=True).status(name) as status:
        yield status.update
