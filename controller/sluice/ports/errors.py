"""What a store, a ledger or a launcher answers when it does not do what it was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sluice.api.kinds import KindInfo


class PortError(Exception):
    """Root of all errors that cross a port; ``reason`` is the word that Kubernetes has for it."""

    reason = "InternalError"
    code = 500


class NotFound(PortError):
    """There is no such object."""

    reason, code = "NotFound", 404


class AlreadyExists(PortError):
    """The name is taken."""

    reason, code = "AlreadyExists", 409


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that another manager owns: ``field`` is a path such as ``.spec.percent``."""

    manager: str
    field: str


class Conflict(PortError):
    """The object moved since it was read, or (apply) another manager owns a field: ``fields`` then names each."""

    reason, code = "Conflict", 409

    def __init__(self, message: str, fields: tuple[FieldConflict, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong with an object: ``field`` is a path such as ``spec.steps[0].retry``; ``reason`` is Kubernetes'
    word for the cause (``FieldValueInvalid``, ``FieldValueRequired``, ``FieldValueForbidden``, ...)."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


class Invalid(PortError):
    """The object breaks a rule; ``causes`` names each field and what to do."""

    reason, code = "Invalid", 422

    def __init__(self, message: str, causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message)
        self.causes = causes

    @classmethod
    def of(cls, kind: KindInfo, name: str, causes: Iterable[Cause]) -> Invalid:
        """Of an object of that kind, in the API server's words."""
        causes = tuple(causes)
        told = [f"{cause.field}: {cause.message}" for cause in causes]
        what = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
        return cls(f'{kind.full} "{name}" is invalid: {what}', causes)


class BadRequest(PortError):
    """The request itself makes no sense (an unknown field selector, a patch that is no patch)."""

    reason, code = "BadRequest", 400


class Forbidden(PortError):
    """This actor may not do that."""

    reason, code = "Forbidden", 403


class Terminating(Forbidden):
    """The namespace is being deleted: nothing new is made in it, and what is in it goes."""


class Gone(PortError):
    """The resource version or continue token is older than what is kept: list again."""

    reason, code = "Expired", 410


class TooLarge(PortError):
    """The object or request is over its limit."""

    reason, code = "RequestEntityTooLarge", 413


class Unavailable(PortError):
    """The backend can't answer now (disk full, connection lost); the write may or may not have happened unless the
    message says that nothing was written. Try again."""

    reason, code = "ServiceUnavailable", 503


class Fenced(PortError):
    """Somebody newer has taken over: an old epoch of a run's unit, or a leader whose term ended."""

    reason, code = "Conflict", 409
