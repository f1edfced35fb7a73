"""`sluice publish` and `revert`: drafts and older versions become the next version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from sluice.api.kinds import ROLLOUT, WORKFLOW, WORKFLOW_VERSION
from sluice.api.workflowversion import WorkflowVersion
from sluice.cli import output
from sluice.cli.client import Client, Obj
from sluice.cli.failures import Failed, Refused
from sluice.cli.sources import refuse_owned
from sluice.cli.steering import wire_percent
from sluice.cli.verb import Format, Output, Reason, Timeout, Verb, Wait, Workflow, connect, verbs
from sluice.cli.workflows import (
    condition_of,
    is_observed,
    next_number,
    version_label,
    version_numbered,
    versions_of,
    wait_for,
    workflow_named,
)
from sluice.domain.publishing.approvals import WITHDRAWN_OUTCOME
from sluice.domain.publishing.drafts import publish_request

app = verbs()

CONFLICT = 409
EVERYTHING = 100
POLICY = "default"
"""The Rollout of every workflow without one of its own."""
TRIES = 5
OBSERVING = "30s"
"""How long the controller may take to look at a draft that was just written."""


@app.command(cls=Verb)
def publish(
    ctx: typer.Context, workflow: Workflow, *, wait: Wait = False, timeout: Timeout = "5m", format: Output = None
) -> None:
    """Publish a workflow's draft.

    The same as a publish by any other way: the draft becomes the next version. Also publishes a draft that was
    reverted or rejected before.
    """
    client = connect(ctx)
    workflow_named(client, workflow)
    observed = wait_for(
        client, WORKFLOW, workflow, done=is_observed, timeout=OBSERVING, what=f"a look at the draft of {workflow}"
    )
    known = versions_of(client, workflow)
    digest = publishable_digest(observed)
    live = newest_standing(known)
    if live is not None and live["spec"]["digest"] == digest:
        _tell_published(live, "nothing to publish: {} is the draft", format)
        return
    request = publish_request([WorkflowVersion.model_validate(version) for version in known], digest)
    patch = {"spec": {"publish": {"request": {"digest": request.digest, "attempt": request.attempt}}}}
    number = _ask(client, workflow, known, lambda _: patch)
    _tell(client, Asked(workflow, number), wait=wait, timeout=timeout, format=format)


def publishable_digest(workflow: Obj) -> str:
    """The digest of the draft; Failed tells what is wrong with it."""
    name = workflow["metadata"]["name"]
    valid = condition_of(workflow, "DraftValid")
    if valid.get("status") == "False":
        raise Failed(f"the draft of {name} can't be published: {valid.get('message')}")
    digest = (workflow.get("status") or {}).get("draftDigest")
    if not digest:
        raise Failed(f"{name} has no draft: give it a spec.definition")
    return str(digest)


def newest_standing(versions: list[Obj]) -> Obj | None:
    """The newest version that was not turned down: what a draft is compared with."""
    standing = [each for each in versions if not is_turned_down(each)]
    return standing[-1] if standing else None


def is_turned_down(version: Obj) -> bool:
    """Whether somebody rejected a version, or a newer one came before anybody approved it."""
    status = version.get("status") or {}
    return status.get("phase") == "Rejected" or status.get("outcome") == WITHDRAWN_OUTCOME


@app.command(cls=Verb)
def revert(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    workflow: Workflow,
    *,
    to: Annotated[str, typer.Option("--to", help="Which version to go back to, such as v3.", show_default=False)],
    percent: Annotated[str, typer.Option(help="Where its rollout starts; the Rollout's own way unless said.")] = "",
    reason: Reason = "",
    wait: Wait = False,
    timeout: Timeout = "5m",
    format: Output = None,
) -> None:
    """Publish an older version again.

    Any earlier version, not only the last; what it did becomes the next version, and the draft stays as it is. Runs keep
    the version that they started with.
    """
    client = connect(ctx)
    workflow_named(client, workflow)
    target = version_numbered(client, workflow, to)
    if is_turned_down(target):
        raise Failed(f"{version_label(to)} of {workflow} was never approved; choose one that was")
    known = versions_of(client, workflow)
    standing = newest_standing(known)
    if standing is not None and standing["spec"]["digest"] == target["spec"]["digest"]:
        _tell_published(standing, f"nothing to publish: {{}} does what {version_label(to)} did", format)
        return
    entry: Obj = {"to": version_label(to)}
    entry |= {"percent": _start_of_walk(client, workflow, percent)} if percent else {}
    entry |= {"reason": reason} if reason else {}
    number = _ask(client, workflow, known, lambda number: {"spec": {"reverts": {f"v{number}": entry}}})
    _tell(client, Asked(workflow, number, version_label(to)), wait=wait, timeout=timeout, format=format)


def _start_of_walk(client: Client, workflow: str, percent: str) -> int | str:
    """Where the revert is to start. Failed without a Rollout: it would take all runs at once, whatever was asked for."""
    start = wire_percent(percent)
    if start != EVERYTHING and not any(client.find(ROLLOUT, name) for name in (workflow, POLICY)):
        raise Failed(
            f"{workflow} has no Rollout, so a revert takes all runs at once, not {start} %; leave out --percent, "
            f"or run `sluice rollout set {workflow} --percent {start}` first"
        )
    return start


def _ask(client: Client, workflow: str, known: list[Obj], patch_for: Callable[[int], Obj]) -> int:
    """Write the request for the next number, only on the very state that the number was read from; gives the number."""
    for attempt in range(TRIES):
        obj = workflow_named(client, workflow)
        number = next_number(obj, known if attempt == 0 else versions_of(client, workflow))
        patch = patch_for(number)
        refuse_owned(obj, patch)
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        try:
            client.patch(WORKFLOW, workflow, {**patch, "metadata": metadata}, manager=client.manager)
        except Refused as refused:
            if refused.code == CONFLICT:
                continue
            raise
        return number
    raise Failed(f"{workflow} is being changed all the time; try again")


@dataclass(frozen=True, slots=True)
class Asked:
    """A version that was asked for; ``revert_of`` is what it goes back to, None for the draft."""

    workflow: str
    number: int
    revert_of: str | None = None

    def __str__(self) -> str:
        """As people call it."""
        return f"{self.workflow} v{self.number}" + (f" (a revert to {self.revert_of})" if self.revert_of else "")


def _tell(client: Client, asked: Asked, *, wait: bool, timeout: str, format: Format | None) -> None:
    workflow, number = asked.workflow, asked.number
    if wait:
        what = f"publishing {asked}"
        wait_for(client, WORKFLOW, workflow, done=lambda obj: is_settled(obj, number), timeout=timeout, what=what)
    version = client.find(WORKFLOW_VERSION, f"{workflow}-v{number}")
    if version is not None and (version["spec"].get("revertOf") or None) != asked.revert_of:
        raise Failed(f"somebody else published v{number} of {workflow} first; run this again")
    if wait and version is None:
        raise Failed(f"{asked} was not published: {_hindrance(workflow_named(client, workflow))}")
    if output.is_whole(format):
        output.print_objects([version or workflow_named(client, workflow)], format, as_list=False)
    else:
        print(f"{asked} {'is published' if version is not None else 'is being published'}")


def is_settled(workflow: Obj, number: int) -> bool:
    """Whether version ``number`` is there, or the controller saw this very spec and is publishing nothing."""
    status = workflow.get("status") or {}
    if status.get("publishing"):
        return False
    return int(status.get("lastNumber") or 0) >= number or is_observed(workflow)


def _hindrance(workflow: Obj) -> str:
    """Why nothing is published, in the controller's words."""
    for type in ("Stalled", "DraftPending", "DraftBehind", "Reconciling"):
        condition = condition_of(workflow, type)
        if condition.get("status") == "True":
            return str(condition.get("message"))
    return "see `sluice describe workflow " + str(workflow["metadata"]["name"]) + "`"


def _tell_published(version: Obj, text: str, format: Output) -> None:
    if output.is_whole(format):
        output.print_objects([version], format, as_list=False)
    else:
        print(text.format(f"v{version['spec']['number']}"))
