"""A workflow and what belongs to it, as the server has it: what many verbs look at before they change anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sluice.api.kinds import WORKFLOW, WORKFLOW_VERSION, KindInfo
from sluice.cli.client import Client, Obj, selection
from sluice.cli.failures import Broken, Failed, Refused, Wrong
from sluice.domain import durations

EXPIRED = 410


def workflow_named(client: Client, name: str) -> Obj:
    """The workflow; Failed lists the others when there is none of this name."""
    found = client.find(WORKFLOW, name)
    if found is None:
        others = [obj["metadata"]["name"] for obj in client.list(WORKFLOW)]
        known = ", ".join(others[:20]) or "none"
        raise Failed(f"there is no workflow {name} in the namespace {client.namespace}; there are: {known}")
    return found


def versions_of(client: Client, workflow: str) -> list[Obj]:
    """All versions of a workflow, oldest first."""
    found = client.list(WORKFLOW_VERSION, selection(fields=f"spec.workflow={workflow}"))
    return sorted(found, key=lambda version: int(version["spec"]["number"]))


def version_numbered(client: Client, workflow: str, label: str) -> Obj:
    """The version that ``v3`` or ``3`` means; Failed lists what there is."""
    number = version_label(label)
    found = client.find(WORKFLOW_VERSION, f"{workflow}-{number}")
    if found is None:
        known = ", ".join(f"v{version['spec']['number']}" for version in versions_of(client, workflow)) or "none"
        raise Failed(f"there is no version {number} of {workflow}; there are: {known}")
    return found


def version_label(text: str) -> str:
    """``v3`` for ``v3`` or ``3``; Wrong for what is no number of a version."""
    digits = text.lower().removeprefix("v")
    if not digits.isdecimal() or int(digits) < 1:
        raise Wrong(f"{text!r} is no version; write v3")
    return f"v{int(digits)}"


def next_number(workflow: Obj, versions: list[Obj]) -> int:
    """The number that the next version gets: one more than the highest that was ever given or claimed."""
    status = workflow.get("status") or {}
    claimed = (status.get("publishing") or {}).get("number") or 0
    known = [int(version["spec"]["number"]) for version in versions]
    return max([int(status.get("lastNumber") or 0), int(claimed), *known]) + 1


def seconds_of(timeout: str) -> float:
    """A duration such as 30s or 1h in seconds; Wrong says what a duration looks like."""
    try:
        return durations.microseconds(timeout) / 1_000_000
    except ValueError as error:
        raise Wrong(f"--timeout: {error}") from error


def states_of(client: Client, kind: KindInfo, name: str, *, seconds: float | None = None) -> Iterator[Obj]:
    """An object as it is and after each change, until ``seconds`` are over or it is deleted (Failed).

    A watch that ended or broke is begun again.
    """
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        obj = client.get(kind, name)
        yield obj
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            return
        yield from _changes(client, kind, obj, left)
        if end is not None and time.monotonic() >= end:
            return


def _changes(client: Client, kind: KindInfo, obj: Obj, left: float | None) -> Iterator[Obj]:
    chosen = selection(fields=f"metadata.name={obj['metadata']['name']}")
    try:
        for change in client.watch(kind, chosen, since=obj["metadata"]["resourceVersion"], seconds=left):
            if change.type == "DELETED":
                raise Failed(f"{kind.singular} {obj['metadata']['name']} was deleted")
            if change.type != "BOOKMARK":
                yield change.obj
    except Broken:
        # Looking again tells whether the server is still there.
        return
    except Refused as refused:
        if refused.code != EXPIRED:
            raise


def wait_for(client: Client, kind: KindInfo, name: str, *, done: Callable[[Obj], bool], timeout: str, what: str) -> Obj:
    """The object once ``done`` says so. Failed after ``timeout``, naming ``what`` was waited for."""
    for obj in states_of(client, kind, name, seconds=seconds_of(timeout)):
        if done(obj):
            return obj
    raise Failed(f"{what} did not happen within {timeout}; it may still, see `sluice describe {kind.singular} {name}`")


def condition_of(obj: Obj, type: str) -> Obj:
    """One condition; empty when it isn't there."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == type), {})


def is_observed(obj: Obj) -> bool:
    """Whether the status is about the spec as it is now."""
    return bool((obj.get("status") or {}).get("observedGeneration", 0) >= obj["metadata"].get("generation", 0))
