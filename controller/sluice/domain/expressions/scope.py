"""Which names an expression may use at its place in a definition, and the type of each.

| name | what it is |
| --- | --- |
| ``payload`` | the run's input, any JSON |
| ``params.X`` | a declared parameter |
| ``context`` | the workflow-level context, a map |
| ``steps.X.{phase, output, attempts, idempotencyKey, artifacts}`` | a step that ran before this place |
| ``env.{name, type, tier}`` | the environment |
| ``run.{id, name, workflow, environment, version, startedAt, scheduledAt, phase, actor, url}`` | this run |
| ``trigger.{type, headers, query, receivedAt, commit}`` | what started it |
| ``error.{step, reason, message, status, attempt}``, ``errors`` | what failed, where something did |
| names of ``Scope.local`` | what a loop gives its body |

``run.startedAt``, ``run.scheduledAt`` (``startedAt`` for a run that no schedule made) and ``trigger.receivedAt`` are
timestamps; ``error.status`` is 0
where there was no HTTP status, so ``error.status >= 500`` is always an answer. ``errors`` is the list of all that failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class ValueType(StrEnum):
    """The types that names are declared with; ``ANY`` is checked when the expression is evaluated."""

    ANY = "any"
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"
    TIMESTAMP = "timestamp"
    TEXTS = "map of texts"
    OBJECTS = "list of objects"


STEP_FIELDS: Mapping[str, ValueType] = MappingProxyType(
    {
        "phase": ValueType.STRING,
        "output": ValueType.ANY,
        "attempts": ValueType.INTEGER,
        "idempotencyKey": ValueType.STRING,
        "artifacts": ValueType.OBJECT,
    }
)

RECORDS: Mapping[str, Mapping[str, ValueType]] = MappingProxyType(
    {
        "env": {"name": ValueType.STRING, "type": ValueType.STRING, "tier": ValueType.STRING},
        "run": {
            "id": ValueType.STRING,
            "name": ValueType.STRING,
            "workflow": ValueType.STRING,
            "environment": ValueType.STRING,
            "version": ValueType.STRING,
            "startedAt": ValueType.TIMESTAMP,
            "scheduledAt": ValueType.TIMESTAMP,
            "phase": ValueType.STRING,
            "actor": ValueType.STRING,
            "url": ValueType.STRING,
        },
        "trigger": {
            "type": ValueType.STRING,
            "headers": ValueType.TEXTS,
            "query": ValueType.TEXTS,
            "receivedAt": ValueType.TIMESTAMP,
            "commit": ValueType.ANY,
        },
        "error": {
            "step": ValueType.STRING,
            "reason": ValueType.STRING,
            "message": ValueType.STRING,
            "status": ValueType.INTEGER,
            "attempt": ValueType.INTEGER,
        },
    }
)

TIMESTAMPS = frozenset({"run.startedAt", "run.scheduledAt", "trigger.receivedAt"})
ROOTS = frozenset({"payload", "params", "context", "steps", "errors", *RECORDS})

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_KEYWORDS = (
    r"true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void"
    r"|while"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is visible at one place.

    ``steps`` are the steps that surely ended before it (its ancestors; in Sequential all earlier ones); ``known`` are
    all of the graph, so that a message can tell a typing error from a missing ``needs``. ``params`` maps each declared
    parameter to its type. ``error`` is true where something failed before: ``retry.when``, a target of ``onError``,
    ``finally``. ``local`` are the names a loop gives.
    """

    steps: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    params: Mapping[str, ValueType] = field(default_factory=dict)
    error: bool = False
    local: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Declared:
    """The names of one environment."""

    steps: frozenset[str]
    params: frozenset[tuple[str, ValueType]]
    error: bool
    local: frozenset[str]

    def variables(self) -> dict[str, ValueType]:
        """Every name with its type; a dotted name is one variable to CEL, so a wrong field is a wrong name."""
        names = {"payload": ValueType.ANY, "context": ValueType.ANY, **dict.fromkeys(self.local, ValueType.ANY)}
        for record, fields in RECORDS.items():
            if record != "error" or self.error:
                names |= {f"{record}.{name}": kind for name, kind in fields.items()}
        if self.error:
            names["errors"] = ValueType.OBJECTS
        names |= {f"params.{name}": kind for name, kind in self.params}
        names |= {f"steps.{step}.{name}": kind for step in self.steps for name, kind in STEP_FIELDS.items()}
        return names

    def declares(self, name: str) -> bool:
        """Whether this is one of the variables, without listing thousands."""
        record, _, rest = name.partition(".")
        if record == "steps":
            step, _, part = rest.partition(".")
            return step in self.steps and part in STEP_FIELDS
        if record == "params":
            return any(rest == declared for declared, _ in self.params)
        if record in RECORDS:
            return rest in RECORDS[record] and (record != "error" or self.error)
        return name in ("payload", "context") or name in self.local or (name == "errors" and self.error)


def is_identifier(name: str) -> bool:
    """Whether an expression can say this name: letters, digits, ``_``, no digit first, no word that CEL reserves."""
    return re.fullmatch(_IDENTIFIER, name) is not None and re.fullmatch(_KEYWORDS, name) is None


def names_in(expression: str) -> frozenset[str]:
    """Every identifier that occurs in the text, a superset of the names an expression uses."""
    return frozenset(re.findall(_IDENTIFIER, expression))


def declared_for(scope: Scope, mentioned: frozenset[str]) -> Declared:
    """What to declare for an expression that mentions these identifiers.

    All steps of the graph, visible or not, so that its expressions share one environment: the first compilation in a
    new one takes ten times as long as the next. Steps that are not visible are for the caller to refuse.
    """
    steps: frozenset[str] = frozenset()
    if "steps" in mentioned:
        hidden = any(name in scope.steps and name not in scope.known for name in mentioned)
        steps = scope.known | scope.steps if hidden else scope.known
    params = frozenset(scope.params.items()) if "params" in mentioned else frozenset()
    return Declared(steps, params, scope.error, scope.local & mentioned)
