"""`sluice activate` and `deactivate`: where a workflow runs. Deactivating works also beside git, by an entry of its own."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from sluice.api.environment import Environment as EnvironmentModel
from sluice.api.environmentstate import EnvironmentState
from sluice.api.kinds import API_VERSION, ENVIRONMENT, ENVIRONMENT_STATE, WORKFLOW
from sluice.api.workflow import Workflow as WorkflowModel
from sluice.cli import output
from sluice.cli.client import Client, Obj
from sluice.cli.failures import Failed, Wrong
from sluice.cli.sources import refuse_owned, source_of, told
from sluice.cli.verb import Environment, Output, Reason, Verb, connect, named, say, verbs
from sluice.cli.workflows import workflow_named
from sluice.domain import durations
from sluice.domain.routing.state import effective_state
from sluice.domain.timestamps import parse_stamp, stamp

app = verbs()

MAX_ENTRY = 63
OneOrAll = Annotated[
    str,
    typer.Argument(
        help="Name of the workflow; none with --all.",
        metavar="[WORKFLOW]",
        show_default=False,
        callback=named(WORKFLOW),
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every workflow of the namespace.")]


@app.command(cls=Verb)
def deactivate(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    environment: Environment,
    workflow: OneOrAll = "",
    *,
    all: All = False,
    until: Annotated[str, typer.Option(help="When it ends by itself: 2h, or 2026-01-31T08:00:00Z.")] = "",
    reason: Reason = "",
    format: Output = None,
) -> None:
    """Stop a workflow from running in an environment, at once.

    An entry under your name, which wins over everything that is declared, in git too, until you or somebody else runs
    `sluice activate`. Nothing starts there any more, neither old versions nor new.
    """
    client, now = connect(ctx), dt.datetime.now(dt.UTC)
    found = environment_named(client, environment)
    entry: Obj = {"state": "Inactive"}
    entry |= {"reason": reason} if reason else {}
    entry |= {"until": stamp(moment(until, now))} if until else {}
    changed = []
    for obj in _chosen(client, workflow, everything=all):
        name = f"{obj['metadata']['name']}.{environment}"
        overrides = {entry_name(client.user): entry}
        state = client.find(ENVIRONMENT_STATE, name)
        if state is None:
            spec = {"state": state_in_force(obj, found, None, now), "overrides": overrides}
            changed.append(client.create(_made(name, spec), ENVIRONMENT_STATE, manager=client.manager))
        else:
            # The former entry goes as a whole: a deadline that was not said again is none.
            overrides[entry_name(client.user)] = {"reason": None, "until": None, **entry}
            changed.append(_patch(client, state, {"overrides": overrides}))
    _tell(changed, "Inactive", environment, format)


@app.command(cls=Verb)
def activate(
    ctx: typer.Context, *, environment: Environment, workflow: OneOrAll = "", all: All = False, format: Output = None
) -> None:
    """Let a workflow run in an environment.

    Ends what switched it off by hand, whoever did that, and declares it Active where it is not.
    """
    client, now = connect(ctx), dt.datetime.now(dt.UTC)
    found = environment_named(client, environment)
    changed = []
    for obj in _chosen(client, workflow, everything=all):
        name = f"{obj['metadata']['name']}.{environment}"
        state = client.find(ENVIRONMENT_STATE, name)
        if state is None and state_in_force(obj, found, None, now) == "Active":
            say(f"{obj['metadata']['name']} is Active in {environment} already")
        elif state is None:
            changed.append(client.create(_made(name, {"state": "Active"}), ENVIRONMENT_STATE, manager=client.manager))
        else:
            changed.append(_patch(client, state, activation(state)))
    _tell(changed, "Active", environment, format)


def activation(state: Obj) -> Obj:
    """The patch of ``spec`` that makes a state Active: entries of people removed, ``state`` set where it differs.

    Failed where a source says Inactive: that is changed there.
    """
    spec = state["spec"]
    patch: Obj = {}
    if spec.get("overrides"):
        patch["overrides"] = dict.fromkeys(spec["overrides"])
    if spec["state"] != "Active":
        source = source_of(state, ("spec", "state"))
        if source:
            raise Failed(f"EnvironmentState {state['metadata']['name']}: spec.state is owned by {told(source)}")
        patch["state"] = "Active"
    return patch


def state_in_force(workflow: Obj, environment: Obj, state: Obj | None, now: dt.datetime) -> str:
    """Active or Inactive, as the controller decides it, overrides counted."""
    declared = EnvironmentState.model_validate(state) if state else None
    in_force = effective_state(
        WorkflowModel.model_validate(workflow), EnvironmentModel.model_validate(environment), declared, now=now
    )
    return in_force.state.value


def entry_name(user: str) -> str:
    """The name of a person's entry: the user's name in lower case, what is neither letter nor digit as a dash."""
    dashed = "".join(char if char.isascii() and char.isalnum() else "-" for char in user.lower())
    return dashed.strip("-")[:MAX_ENTRY].rstrip("-") or "somebody"


def moment(text: str, now: dt.datetime) -> dt.datetime:
    """A time that is to come, or so long from now; Wrong says how both are written."""
    try:
        return now + durations.parse(text)
    except (ValueError, OverflowError):
        pass
    try:
        end = parse_stamp(text)
    except ValueError as error:
        raise Wrong(f"--until: {error}, or for how long as 2h") from error
    if end <= now:
        raise Wrong(f"--until: {text} is over already")
    return end


def environment_named(client: Client, name: str) -> Obj:
    """The environment; Failed says which there are."""
    found = client.find(ENVIRONMENT, name)
    if found is None:
        known = ", ".join(each["metadata"]["name"] for each in client.list(ENVIRONMENT)) or "none"
        raise Failed(f"there is no environment {name} in the namespace {client.namespace}; there are: {known}")
    return found


def _chosen(client: Client, workflow: str, *, everything: bool) -> list[Obj]:
    if bool(workflow) == everything:
        raise Wrong("name one workflow, or say --all")
    return client.list(WORKFLOW) if everything else [workflow_named(client, workflow)]


def _made(name: str, spec: Obj) -> Obj:
    return {"apiVersion": API_VERSION, "kind": "EnvironmentState", "metadata": {"name": name}, "spec": spec}


def _patch(client: Client, state: Obj, spec: Obj) -> Obj:
    if not spec:
        return state
    refuse_owned(state, {"spec": spec})
    return client.patch(ENVIRONMENT_STATE, state["metadata"]["name"], {"spec": spec}, manager=client.manager)


def _tell(changed: list[Obj], state: str, environment: str, format: Any) -> None:
    if output.is_whole(format):
        if changed:
            output.print_objects(changed, format, as_list=len(changed) != 1)
        return
    for obj in changed:
        print(f"{obj['metadata']['name'].removesuffix('.' + environment)} is {state} in {environment}")
