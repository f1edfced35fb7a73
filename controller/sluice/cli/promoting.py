"""`sluice promote`: carry a definition from one environment to the next, between workflows of scope Environment."""

from __future__ import annotations

import typer

from sluice.api.kinds import API_VERSION, WORKFLOW
from sluice.cli import output
from sluice.cli.client import Client, Obj
from sluice.cli.environments import environment_named
from sluice.cli.failures import Failed
from sluice.cli.sources import refuse_owned
from sluice.cli.verb import Output, Verb, Workflow, connect, verbs
from sluice.cli.workflows import version_label, version_numbered, workflow_named

app = verbs()

MAX_NAME = 40
CARRIED = ("displayName", "description", "owner", "team", "tags", "publish")
"""What a sibling that is made anew takes over beside the definition."""


@app.command(cls=Verb)
def promote(
    ctx: typer.Context,
    workflow: Workflow,
    *,
    to: str = typer.Option(..., "--to", help="The environment to carry it to.", show_default=False),
    version: str = typer.Option("", help="Which version, such as v3; the live one unless said."),
    format: Output = None,
) -> None:
    """Carry a definition to the sibling in another environment.

    For workflows of scope Environment, which exist in one environment each and share a logicalName: the sibling's draft
    becomes a reference to the version, and is published there by the sibling's own policy.
    """
    client = connect(ctx)
    source = workflow_named(client, workflow)
    require_environment_scope(source, to)
    label = version_label(version) if version else (source.get("status") or {}).get("live")
    if not label:
        raise Failed(f"{workflow} has no live version to carry over; publish one, or name one with --version")
    version_numbered(client, workflow, label)
    definition_from = {"workflow": workflow, "version": label}
    sibling = find_sibling(client.list(WORKFLOW), logical_name(source), to)
    changed = _write(client, source, sibling, to=to, definition_from=definition_from)
    if output.is_whole(format):
        output.print_objects([changed], format, as_list=False)
    else:
        print(f"{changed['metadata']['name']} takes the definition of {workflow} {label}, for {to}")


def require_environment_scope(workflow: Obj, to: str) -> None:
    """Failed where there is nothing to carry: one publish reaches all environments, or it is there already."""
    name, spec = workflow["metadata"]["name"], workflow["spec"]
    if spec.get("scope", "Organization") != "Environment":
        raise Failed(
            f"{name} has scope Organization: a publish reaches every environment; `sluice activate {name} --env {to}`"
        )
    if spec.get("environment") == to:
        raise Failed(f"{name} is the one in {to}; name the environment to carry it to")


def logical_name(workflow: Obj) -> str:
    """What ties siblings together."""
    return str(workflow["spec"].get("logicalName") or workflow["metadata"]["name"])


def find_sibling(workflows: list[Obj], logical: str, environment: str) -> Obj | None:
    """The workflow of this logical name in an environment."""
    for each in workflows:
        if each["spec"].get("environment") == environment and logical_name(each) == logical:
            return each
    return None


def _write(client: Client, source: Obj, sibling: Obj | None, *, to: str, definition_from: Obj) -> Obj:
    if sibling is not None:
        patch = {"spec": {"definition": None, "definitionFrom": definition_from}}
        refuse_owned(sibling, patch)
        return client.patch(WORKFLOW, sibling["metadata"]["name"], patch, manager=client.manager)
    environment_named(client, to)
    logical = logical_name(source)
    name = f"{logical}-{to}"
    if len(name) > MAX_NAME:
        raise Failed(
            f"{name!r} is too long for a workflow's name; create one for {to} with logicalName {logical} first"
        )
    if not source["spec"].get("logicalName"):
        tie = {"spec": {"logicalName": logical}}
        refuse_owned(source, tie)
        client.patch(WORKFLOW, source["metadata"]["name"], tie, manager=client.manager)
    spec = {key: source["spec"][key] for key in CARRIED if key in source["spec"]}
    spec |= {"scope": "Environment", "environment": to, "logicalName": logical, "definitionFrom": definition_from}
    if "publish" in spec:
        spec["publish"] = {key: value for key, value in spec["publish"].items() if key != "request"}
    obj = {"apiVersion": API_VERSION, "kind": WORKFLOW.kind, "metadata": {"name": name}, "spec": spec}
    return client.create(obj, WORKFLOW, manager=client.manager)
