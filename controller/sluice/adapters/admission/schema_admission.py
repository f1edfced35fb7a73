"""The Admission port over schemas, rules and policies: what is refused here, a cluster would refuse as well.

The order is that of a Kubernetes API server: prune and default, then the schema, then its rules, then what an admission
webhook would say, then the policies. It remembers nothing about writes; schemas are compiled when a kind is first written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from sluice.api.kinds import KindInfo
from sluice.domain.admission.kinds import KindCheck, kind_check
from sluice.domain.admission.policies import POLICED_KINDS, Write, refusal
from sluice.domain.objects.metadata import Problem
from sluice.ports.admission import AdmissionRequest
from sluice.ports.errors import Cause, Forbidden, Invalid
from sluice.ports.store import Actor, Obj


class Found(Protocol):
    """Something wrong, by the path of its field; the validator's findings are such."""

    @property
    def field(self) -> str:
        """``spec.definition.steps[0].needs[0]``; empty for the whole object."""

    @property
    def message(self) -> str:
        """What is wrong and what to do."""


Validate = Callable[[Obj], Iterable[Found]]
"""What a validating webhook would refuse in an object whose schema is fine: references, cycles, expressions."""

AUTHORED_KINDS = frozenset({"Workflow", "Rollout", "Environment", "EnvironmentState"})
"""Kinds that people write by hand; only these are worth a second look beyond their schema."""

MayUse = Callable[[Actor, str, str], bool]
"""Whether an actor has the verb ``use`` in a namespace on an environment (empty name: on all of them)."""


def _everybody(_: Actor, __: str, ___: str) -> bool:
    return True


class SchemaAdmission:
    """Admits as the CRDs and policies say.

    ``schemas`` are structural schemas by kind, ``controllers`` the user names of the controller; ``validate`` is asked
    about authored objects whose spec changed, ``may_use`` about each new run. A kind without a schema (Kubernetes' own)
    passes as it is.
    """

    def __init__(
        self,
        schemas: Mapping[str, Mapping[str, Any]],
        *,
        controllers: Collection[str],
        validate: Validate | None = None,
        may_use: MayUse = _everybody,
    ) -> None:
        self._schemas = schemas
        self._controllers = frozenset(controllers)
        self._validate = validate
        self._may_use = may_use
        self._checks: dict[str, KindCheck] = {}

    def admit(self, request: AdmissionRequest) -> None:
        """See the port."""
        kind = request.kind
        if kind.kind not in self._schemas:
            return
        new = request.new
        if new is not None:
            self._check(request, new)
        if kind.kind in POLICED_KINDS and not request.subresource:
            self._police(request)

    def _check(self, request: AdmissionRequest, new: Obj) -> None:
        check = self._checks.get(request.kind.kind) or self._compiled(request.kind)
        if request.subresource == "status":
            problems = check.status_problems(new, request.old)
        else:
            problems = check.object_problems(new, request.old)
            if not problems and self._validate is not None and _is_authored(request):
                problems = [
                    Problem(found.field or "spec", found.message) for found in self._validate(new) if _is_ours(found)
                ]
        if problems:
            raise Invalid.of(request.kind, _name(new), (Cause(*problem) for problem in problems))

    def _compiled(self, kind: KindInfo) -> KindCheck:
        check = self._checks[kind.kind] = kind_check(self._schemas[kind.kind])
        return check

    def _police(self, request: AdmissionRequest) -> None:
        actor, obj = request.actor, request.new or request.old or {}
        namespace = obj["metadata"].get("namespace", "")
        write = Write(
            operation=request.operation,
            user=actor.user,
            groups=actor.groups,
            new=request.new or {},
            old=request.old or {},
            is_controller=actor.user in self._controllers,
            may_use=lambda environment: self._may_use(actor, namespace, environment),
        )
        if why := refusal(request.kind, write):
            raise Forbidden(f'{request.kind.resource} "{_name(obj)}" is forbidden: {why}')


def _is_authored(request: AdmissionRequest) -> bool:
    """Whether somebody wrote a spec that was not judged before: what was accepted once is not refused for a label."""
    if request.kind.kind not in AUTHORED_KINDS or request.new is None:
        return False
    return request.old is None or request.new.get("spec") != request.old.get("spec")


def _is_ours(found: Found) -> bool:
    """Metadata is the store's to judge, in the API server's words."""
    return not found.field.startswith("metadata")


def _name(obj: Obj) -> str:
    return str(obj["metadata"].get("name", ""))
