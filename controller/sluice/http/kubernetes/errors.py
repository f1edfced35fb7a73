"""Refusals in the words and the shape of Kubernetes: every error answer is a ``Status`` object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sluice.api.kinds import KindInfo
from sluice.ports.errors import Conflict, Invalid, PortError, Unavailable
from sluice.ports.store import Actor, Obj

RETRY_AFTER = 1
"""Seconds after which a client may try again what was unavailable."""


@dataclass(eq=False)
class Refused(Exception):
    """A request that the protocol itself refuses, before or without asking the store."""

    code: int
    reason: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence that the client reads."""
        return self.message


def bad_request(message: str) -> Refused:
    """400: the request makes no sense; ``message`` says where."""
    return Refused(400, "BadRequest", message)


def unauthorized() -> Refused:
    """401: no token, or one that nobody issued."""
    return Refused(401, "Unauthorized", "Unauthorized", headers={"www-authenticate": "Bearer"})


def forbidden(actor: Actor, verb: str, kind: KindInfo, *, namespace: str, name: str) -> Refused:
    """403, worded as Kubernetes' RBAC words it, so that people recognise what they lack."""
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    subject = f'{kind.resource} "{name}"' if name else kind.resource
    message = (
        f'{subject} is forbidden: User "{actor.user}" cannot {verb} resource "{kind.plural}" '
        f'in API group "{kind.group}" {where}'
    )
    return Refused(403, "Forbidden", message, _named(kind.plural, kind, name))


def no_such_path() -> Refused:
    """404: nothing is served there."""
    return Refused(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed(allowed: str) -> Refused:
    """405: the resource is there but not for this method; ``allowed`` lists the methods that are."""
    message = "the server does not allow this method on the requested resource"
    return Refused(405, "MethodNotAllowed", message, headers={"allow": allowed})


def not_acceptable() -> Refused:
    """406: the client takes no form that is served."""
    message = "only the following media types are accepted: application/json"
    return Refused(406, "NotAcceptable", message)


def unsupported_media_type(accepted: str) -> Refused:
    """415: the body is of a type that is not read here; ``accepted`` lists those that are."""
    message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return Refused(415, "UnsupportedMediaType", message)


def too_large(limit: int) -> Refused:
    """413: the body has more than ``limit`` bytes."""
    return Refused(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def expired(message: str = "too old resource version: list again") -> Refused:
    """410: what the client wants to go on from is not kept any more."""
    return Refused(410, "Expired", message)


def invalid_option(options: str, field_name: str, problem: str) -> Refused:
    """422 for a query parameter, worded as the API machinery words it; ``problem`` such as ``Forbidden: ...``."""
    message = f'{options}.meta.k8s.io "" is invalid: {field_name}: {problem}'
    word, _, rest = problem.partition(": ")
    cause = {"reason": f"FieldValue{word.partition(' ')[0]}", "message": rest or problem, "field": field_name}
    return Refused(422, "Invalid", message, {"group": "meta.k8s.io", "kind": options, "causes": [cause]})


def status_body(refused: Refused) -> Obj:
    """The ``Status`` object that says it."""
    body: Obj = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refused.message,
        "reason": refused.reason,
    }
    if refused.details:
        body["details"] = refused.details
    body["code"] = refused.code
    return body


def refusal_of(error: PortError, kind: KindInfo, name: str) -> Refused:
    """What the store answered, with the details that clients look at (``kubectl apply`` reads causes)."""
    if isinstance(error, Invalid):
        details = _named(kind.kind, kind, name)
        details["causes"] = [
            {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in error.causes
        ]
        return Refused(error.code, error.reason, str(error), details)
    if isinstance(error, Conflict) and error.fields:
        causes = [
            {"reason": "FieldManagerConflict", "message": f'conflict with "{each.manager}"', "field": each.field}
            for each in error.fields
        ]
        return Refused(error.code, error.reason, str(error), {"causes": causes})
    if isinstance(error, Unavailable):
        details = {"retryAfterSeconds": RETRY_AFTER}
        return Refused(error.code, error.reason, str(error), details, {"retry-after": str(RETRY_AFTER)})
    if error.code in {400, 410, 413, 500}:
        return Refused(error.code, error.reason, str(error))
    return Refused(error.code, error.reason, str(error), _named(kind.plural, kind, name))


def success(kind: KindInfo, name: str, uid: str) -> Obj:
    """The ``Status`` that answers a deletion that left nothing behind."""
    details = {"name": name, "group": kind.group, "kind": kind.plural, "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _named(word: str, kind: KindInfo, name: str) -> dict[str, Any]:
    named = {"name": name, "group": kind.group, "kind": word}
    return {key: value for key, value in named.items() if value}
