"""All checks of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from sluice.domain.admission.consistency import consistency_check
from sluice.domain.admission.equality import same
from sluice.domain.admission.faults import BLOCKING, Faults, required
from sluice.domain.admission.rules import KNOWN_RULES
from sluice.domain.admission.scalars import Check, Schema, text_check
from sluice.domain.admission.structure import structure_check
from sluice.domain.objects.metadata import Problem

_KNOWN = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})


@dataclass(frozen=True, slots=True)
class KindCheck:
    """What a kind's schema asks of an object, and of a write to its status alone."""

    name: Check
    spec: Check
    status: Check
    rules: Check | None

    def object_problems(self, new: dict[str, Any], old: dict[str, Any] | None = None) -> list[Problem]:
        """Prunes and fills everything but metadata and status in place; says what is wrong with it.

        What equals ``old`` is not looked at: metadata is the store's to check, and status has writes of its own.
        """
        for name in [name for name in new if name not in _KNOWN]:
            del new[name]
        if new.get("spec") is None:
            return [required("spec").problem()]
        if old is not None and same(new["spec"], old.get("spec")):
            return []
        faults = _below(".metadata.name", self.name(new["metadata"].get("name", ""), None))
        faults += _below(".spec", self.spec(new["spec"], old.get("spec") if old else None))
        if self.rules is not None and not any(fault.reason in BLOCKING for fault in faults):
            faults += self._broken_rules(self.rules, new, old)
        return [fault.problem() for fault in faults]

    def _broken_rules(self, rules: Check, new: dict[str, Any], old: dict[str, Any] | None) -> Faults:
        found = rules(new, old)
        if not found or old is None:
            return found or []
        stored = orjson.loads(orjson.dumps(old))  # perhaps by an older release: it gets the defaults that new has
        self.spec(stored.get("spec"), None)
        return rules(new, stored) or []

    def status_problems(self, new: dict[str, Any], old: dict[str, Any] | None = None) -> list[Problem]:
        """Prunes ``new["status"]`` in place and says what is wrong with it, whatever the rest of the object is."""
        status = new.get("status")
        if status is None:
            return []
        return [fault.problem() for fault in _below(".status", self.status(status, old.get("status") if old else None))]


def kind_check(schema: Schema) -> KindCheck:
    """Compiles the structural schema of a kind; KeyError when it has a rule without a predicate."""
    properties = schema["properties"]
    return KindCheck(
        name=text_check(properties["metadata"]["properties"]["name"]),
        spec=structure_check(properties["spec"]),
        status=structure_check(properties["status"]),
        rules=consistency_check(schema, KNOWN_RULES),
    )


def _below(path: str, faults: Faults | None) -> Faults:
    return [fault.below(path) for fault in faults or ()]
