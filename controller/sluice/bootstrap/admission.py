"""What the embedded server does to a write: stamps who wrote, then whatever the API server of a cluster would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sluice.adapters.admission import SchemaAdmission
from sluice.adapters.sqlite.store import SYSTEM
from sluice.api.kinds import SLUICE_KINDS, WORKFLOW, WORKFLOW_RUN
from sluice.domain.definition.validation.findings import Finding, errors
from sluice.domain.definition.validation.objects import validate_object
from sluice.ports.admission import Admission, AdmissionRequest
from sluice.ports.errors import Cause, Forbidden, Invalid
from sluice.reconcilers.drafts import AUTHOR_ANNOTATION

PAYLOAD_LIMIT = 1024 * 1024
"""Bytes of JSON."""


class Stamping:
    """Writes down who started a run and who changed a workflow's spec, then hands the write on.

    What on a cluster is RBAC's is refused here: a status is a fact, and only the controller states it.
    """

    def __init__(self, inner: Admission) -> None:
        self._inner = inner

    def admit(self, request: AdmissionRequest) -> None:
        """See the port."""
        new, old = request.new, request.old
        if request.subresource == "status" and request.kind in SLUICE_KINDS and request.actor != SYSTEM:
            raise Forbidden(f"the status of {request.kind.resource} is the controller's; what is wanted stands in spec")
        if new is not None and not request.subresource:
            if request.kind is WORKFLOW_RUN and request.operation == "CREATE":
                _stamp_run(new, request.actor.user)
                _check_payload(new)
            elif request.kind is WORKFLOW:
                unchanged = old is not None and old.get("spec") == new.get("spec")
                _stamp_author(new, _author_of(old or {}) if unchanged else request.actor.user)
        self._inner.admit(request)


def _stamp_run(new: dict[str, Any], user: str) -> None:
    given = new.get("spec", {}).get("input")
    if isinstance(given, dict):
        given.setdefault("actor", user)


def _check_payload(new: dict[str, Any]) -> None:
    given = new.get("spec", {}).get("input")
    payload = given.get("payload") if isinstance(given, dict) else None
    if payload is not None and len(orjson.dumps(payload)) > PAYLOAD_LIMIT:
        why = "a payload is at most 1 MiB of JSON; keep what is larger elsewhere and pass where it is"
        raise Invalid(f"spec.input.payload: {why}", (Cause("spec.input.payload", why, "FieldValueTooLong"),))


def _author_of(obj: Mapping[str, Any]) -> str:
    author = obj["metadata"].get("annotations", {}).get(AUTHOR_ANNOTATION, "")
    return str(author)


def _stamp_author(new: dict[str, Any], user: str) -> None:
    """Nobody but the server says who wrote a spec; without a known author nothing is said."""
    metadata = new["metadata"]
    annotations = metadata.get("annotations") or {}
    if isinstance(annotations, dict) and annotations.get(AUTHOR_ANNOTATION, "") != user:
        metadata["annotations"] = {**annotations, AUTHOR_ANNOTATION: user}
        if not user:
            del metadata["annotations"][AUTHOR_ANNOTATION]


def embedded_admission(schemas: Mapping[str, Any]) -> Admission:
    """The rules of the CRDs, the policies, and what the validating webhook of a cluster would say."""
    return Stamping(SchemaAdmission(schemas, controllers=[SYSTEM.user], validate=_problems))


def _problems(obj: dict[str, Any]) -> list[Finding]:
    return errors(validate_object(obj))
