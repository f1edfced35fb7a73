"""`sluice run`, `replay` and `cancel`: runs begin and end."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.api.kinds import API_VERSION, WORKFLOW_RUN
from sluice.cli import output
from sluice.cli.client import Client, Obj
from sluice.cli.ending import SUCCEEDED, finish, has_ended, phase_of, wait_until_ended
from sluice.cli.failures import Failed, Wrong
from sluice.cli.payload import read_json, read_params
from sluice.cli.verb import Output, Run, Verb, Wait, Workflow, connect, verbs
from sluice.cli.workflows import workflow_named

app = verbs()

MAX_PREFIX = 58
"""What a server leaves of a generated name's beginning."""
CURRENT, ORIGINAL = "live", "original"

Limit = Annotated[str, typer.Option("--timeout", help="With --wait: how long at most, such as 5m.", metavar="DURATION")]


@app.command(cls=Verb)
def run(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    workflow: Workflow,
    *,
    environment: Annotated[
        str, typer.Option("--env", "-e", help="Where; may be left out where one environment is Active.")
    ] = "",
    payload: Annotated[str, typer.Option(help="JSON, @file, or - for stdin.", metavar="JSON")] = "",
    params: Annotated[
        list[str] | None, typer.Option(help="name=value, a JSON object, or @file; may be repeated.")
    ] = None,
    wait: Wait = False,
    timeout: Limit = "",
    format: Output = None,
) -> None:
    """Start a run.

    Prints its name; with --wait its outcome and outputs, and the exit code is 1 unless it succeeded.
    """
    _require_wait(timeout, wait=wait)
    given: Obj = {"workflow": workflow}
    given |= {"environment": environment} if environment else {}
    given |= {"payload": read_json("--payload", payload)} if payload else {}
    given |= {"params": read_params(params)} if params else {}
    client = connect(ctx)
    workflow_named(client, workflow)
    _start(client, given, wait=wait, timeout=timeout, format=format)


@app.command(cls=Verb)
def replay(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    run: Run,
    *,
    from_failed: Annotated[
        bool, typer.Option("--from-failed", help="Take over what succeeded, and begin at the step that failed.")
    ] = False,
    version: Annotated[
        str, typer.Option(help="original: the version it ran with; live: one that takes new runs.")
    ] = ORIGINAL,
    wait: Wait = False,
    timeout: Limit = "",
    format: Output = None,
) -> None:
    """Run an ended run's input again.

    On the version that it ran with, unless told otherwise; also while the workflow is paused.
    """
    _require_wait(timeout, wait=wait)
    if version not in {ORIGINAL, CURRENT}:
        raise Wrong(f"--version: {version!r} is neither {ORIGINAL} nor {CURRENT}")
    client = connect(ctx)
    original = client.get(WORKFLOW_RUN, run)
    if not has_ended(original):
        raise Failed(f"{run} is {phase_of(original)}: only what ended is run again; `sluice cancel {run}` ends it")
    if from_failed and phase_of(original) == SUCCEEDED:
        raise Failed(f"{run} succeeded: no step of it failed; leave out --from-failed")
    _start(
        client,
        replay_input(original, from_failed=from_failed, live=version == CURRENT),
        wait=wait,
        timeout=timeout,
        format=format,
    )


def replay_input(original: Obj, *, from_failed: bool, live: bool) -> Obj:
    """The input of a replay: that of the original, in the environment where it ran."""
    before = original["spec"]["input"]
    kept = {key: before[key] for key in ("workflow", "environment", "payload", "payloadRef", "params") if key in before}
    pin = original["spec"].get("pin") or {}
    if pin.get("environment"):
        kept["environment"] = pin["environment"]
    wanted = {
        "of": original["metadata"]["name"],
        "from": "Failed" if from_failed else "Start",
        "version": "Live" if live else "Original",
    }
    return {**kept, "replay": wanted}


@app.command(cls=Verb)
def cancel(ctx: typer.Context, run: Run, *, wait: Wait = False, timeout: Limit = "", format: Output = None) -> None:
    """Cancel a run.

    Its steps are stopped; what stands under `finally` still runs. It can't be undone.
    """
    _require_wait(timeout, wait=wait)
    client = connect(ctx)
    obj = client.get(WORKFLOW_RUN, run)
    if has_ended(obj):
        raise Failed(f"{run} has ended: {phase_of(obj)}")
    obj = client.patch(WORKFLOW_RUN, run, {"spec": {"cancel": True}}, manager=client.manager)
    if wait:
        obj = wait_until_ended(client, run, timeout=timeout)
    if output.is_whole(format):
        output.print_objects([obj], format, as_list=False)
    else:
        print(f"{run} {phase_of(obj) if has_ended(obj) else 'is being cancelled'}")


def _require_wait(timeout: str, *, wait: bool) -> None:
    if timeout and not wait:
        raise Wrong("--timeout goes with --wait; a run's own bound is spec.definition.timeout")


def _start(client: Client, given: Obj, *, wait: bool, timeout: str, format: Output) -> None:
    workflow = given["workflow"]
    labels = {"sluice.dev/workflow": workflow, "sluice.dev/trigger": "manual"}
    labels |= {"sluice.dev/environment": given["environment"]} if "environment" in given else {}
    obj = {
        "apiVersion": API_VERSION,
        "kind": WORKFLOW_RUN.kind,
        "metadata": {"generateName": f"{workflow}-"[:MAX_PREFIX], "labels": labels},
        "spec": {"input": {**given, "trigger": {"type": "manual"}, "actor": client.user}},
    }
    made = client.create(obj, WORKFLOW_RUN, manager=client.manager)
    if wait:
        finish(wait_until_ended(client, made["metadata"]["name"], timeout=timeout), format)
    if output.is_whole(format):
        output.print_objects([made], format, as_list=False)
    else:
        print(made["metadata"]["name"])
