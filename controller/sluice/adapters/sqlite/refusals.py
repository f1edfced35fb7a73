"""Errors in the API server's own words, so that people and programs that know Kubernetes know what happened."""

from __future__ import annotations

from sluice.api.kinds import KindInfo
from sluice.domain.objects.metadata import Problem
from sluice.ports.errors import AlreadyExists, Cause, Conflict, Forbidden, Invalid, NotFound, Terminating
from sluice.ports.store import Obj


def not_found(kind: KindInfo, name: str) -> NotFound:
    """There is no such object."""
    return NotFound(f'{kind.resource} "{name}" not found')


def already_exists(kind: KindInfo, name: str) -> AlreadyExists:
    """The name is taken."""
    return AlreadyExists(f'{kind.resource} "{name}" already exists')


def modified(kind: KindInfo, name: str) -> Conflict:
    """The object moved since the caller read it."""
    return cannot_fulfil(
        kind, name, "the object has been modified; please apply your changes to the latest version and try again"
    )


def cannot_fulfil(kind: KindInfo, name: str, why: str) -> Conflict:
    """A precondition does not hold."""
    return Conflict(f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}')


def other_uid(kind: KindInfo, obj: Obj, uid: str) -> Conflict:
    """The caller means another object of this name."""
    metadata = obj["metadata"]
    why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
    return cannot_fulfil(kind, metadata["name"], why)


def check_preconditions(kind: KindInfo, obj: Obj, *, uid: str, resource_version: str) -> None:
    """Conflict when a deletion means another object of this name, or another state of it."""
    metadata = obj["metadata"]
    wrong = ""
    if uid and uid != metadata["uid"]:
        wrong = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated"
        )
    elif resource_version and resource_version != metadata["resourceVersion"]:
        wrong = (
            f"the ResourceVersion in the precondition ({resource_version}) does not match the ResourceVersion in record "
            f"({metadata['resourceVersion']}). The object might have been modified"
        )
    if wrong:
        raise Conflict(f'Operation cannot be fulfilled on {kind.full} "{metadata["name"]}": {wrong}')


def invalid(kind: KindInfo, name: str, problems: list[Problem]) -> Invalid:
    """The object breaks rules: one cause for each."""
    return Invalid.of(kind, name, (Cause(*problem) for problem in problems))


def terminating(kind: KindInfo, name: str, namespace: str) -> Terminating:
    """The namespace is being emptied."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    return Terminating(f'{kind.resource} "{name}" is forbidden: {why}')


def forbidden(kind: KindInfo, name: str, why: str) -> Forbidden:
    """The server's own rules refuse it."""
    return Forbidden(f'{kind.resource} "{name}" is forbidden: {why}')
