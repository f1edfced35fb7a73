"""Which parts of a definition are structured and what an absent field of them means: the defaults of each level.

A definition mixes two sorts of maps: structured ones, where an absent field, a null and the default are the same, and
people's own JSON (a payload, a body, a schema), of which every null counts. The shapes here name the structured ones;
what they don't name is copied as it is. A level never changes once a version has been digested at it; an optional field
that a later release adds needs no entry, for absent stays absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

LATEST = 1
"""The newest level of the canonical form."""

Json = dict[str, Any]

_SCALARS, _MAPS = (str, int, type(None)), (dict, Mapping)
"""What is looked at most comes first: to ask whether something is a Mapping takes long where it is none."""


class Each(Enum):
    """How many values of a shape a field holds."""

    ONE = "one"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Shape:
    """A structured map: its ``defaults``, the structured ``parts`` in it, the fields that say nothing when ``empty``, and
    a ``last`` step for defaults that depend on other fields."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, tuple[Each, Shape]] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    last: Callable[[Json], Json] | None = None


def fill(value: Mapping[str, Any], shape: Shape) -> Json:
    """``value`` with its defaults filled in and without what is absent; shares nothing with it."""
    filled: Json = {key: plain(item) for key, item in shape.defaults.items()}
    for key, item in value.items():
        if item is None or (key in shape.empty and not item):
            continue
        match shape.parts.get(key):
            case (Each.ONE, part):
                filled[key] = fill(item, part)
            case (Each.LIST, part):
                filled[key] = [fill(each, part) for each in item]
            case (Each.MAP, part):
                filled[key] = {name: fill(each, part) for name, each in item.items()}
            case _:
                filled[key] = plain(item)
    return shape.last(filled) if shape.last else filled


def plain(value: Any) -> Any:
    """A copy of people's own JSON. A float without a fraction becomes an integer, as it does in an API server, so that a
    definition means the same wherever it was kept."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, _MAPS):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _on_error(value: Json) -> Json:
    if "goto" in value:
        return {key: item for key, item in value.items() if key != "action"} | {"then": value.get("then", "Continue")}
    return {"action": "Fail"} | value


def _schedule(value: Json) -> Json:
    if "interval" in value:
        return {"anchor": "1970-01-01T00:00:00Z"} | value
    return {"timeZone": "Etc/UTC"} | value


def _concurrency(value: Json) -> Json:
    return {"policy": "Queue" if "limit" in value else "Allow"} | value


def _needs(value: Json) -> Json:
    return value | {"needs": sorted(set(value["needs"]))}


def _trigger(value: Json) -> Json:
    return value or {"manual": {}}


def _one(**parts: Shape) -> dict[str, tuple[Each, Shape]]:
    return {name.rstrip("_"): (Each.ONE, shape) for name, shape in parts.items()}


_PARAMETER = Shape(empty=frozenset({"enum"}))
_TRIGGER = Shape(
    last=_trigger,
    parts=_one(
        webhook=Shape({"rejectInvalid": False}, _one(forge=Shape(empty=frozenset({"requiredStatuses"})))),
        schedule=Shape(last=_schedule),
        manual=Shape(),
        event=Shape(),
        api=Shape(),
        queue=Shape(),
    ),
)
_ACTION = Shape(
    parts=_one(
        http=Shape({"method": "GET"}, empty=frozenset({"headers", "query", "successCodes"})),
        python=Shape(empty=frozenset({"requirements", "lock", "connections"})),
        container=Shape(empty=frozenset({"args", "env", "connections"})),
        workflow=Shape(empty=frozenset({"params"})),
        build=Shape({"promote": False}, empty=frozenset({"args"})),
        promote=Shape(),
        run=Shape(),
        copy=Shape(),
    )
)
_LOGIC = {
    "switch": (Each.ONE, Shape(parts={"cases": (Each.LIST, Shape())}, empty=frozenset({"default"}))),
    "forEach": (Each.ONE, Shape({"maxFailures": 0})),
    "while": (Each.ONE, Shape(empty=frozenset({"params"}))),
    "call": (Each.ONE, Shape(empty=frozenset({"params"}))),
    "wait": (Each.ONE, Shape()),
}
_APPROVERS = frozenset({"users", "groups"})
_APPROVAL = Shape(
    {"minimum": 1, "excludeRequester": False},
    _one(notify=Shape(empty=frozenset({"to"})), escalate=Shape(empty=_APPROVERS)),
    empty=_APPROVERS,
)
_RETRY = Shape({"backoff": {"duration": "1s", "factor": 2, "max": "5m"}}, _one(backoff=Shape()))


def _backoff(value: Json) -> Json:
    return value | {"backoff": {"duration": "1s", "factor": 2, "max": "5m"} | value["backoff"]}


STEP = Shape(
    {"needs": [], "onError": {"action": "Fail"}},
    _one(
        retry=Shape(_RETRY.defaults, _RETRY.parts, last=_backoff),
        onError=Shape(last=_on_error),
        resources=Shape(),
        artifacts=Shape(parts={"out": (Each.MAP, Shape())}, empty=frozenset({"in", "out"})),
        data=Shape(empty=frozenset({"keys", "values"})),
        skill=Shape({"input": {}}),
        agent=Shape(parts={"tools": (Each.LIST, Shape())}, empty=frozenset({"tools"})),
        mcp=Shape({"arguments": {}}),
        logic=Shape(parts=_LOGIC),
        approval=_APPROVAL,
        action=_ACTION,
        notify=Shape(empty=frozenset({"to"})),
        storage=Shape(),
    ),
    empty=frozenset({"resources", "artifacts"}),
    last=_needs,
)
"""One step, at level 1."""

_STEPS = (Each.LIST, STEP)
_PARAMETERS = (Each.MAP, _PARAMETER)
_GRAPH = Shape({"params": {}, "outputs": {}}, {"params": _PARAMETERS, "steps": _STEPS})
_DEFINITION = Shape(
    {
        "params": {},
        "trigger": {"manual": {}},
        "context": {},
        "execution": "Parallel",
        "failurePolicy": "Drain",
        "graphs": {},
        "finally": [],
        "outputs": {},
    },
    {
        "params": _PARAMETERS,
        "trigger": (Each.ONE, _TRIGGER),
        "concurrency": (Each.ONE, Shape(last=_concurrency)),
        "graphs": (Each.MAP, _GRAPH),
        "steps": _STEPS,
        "finally": _STEPS,
    },
    empty=frozenset({"trigger", "concurrency"}),
)

DEFINITIONS: Mapping[int, Shape] = {1: _DEFINITION}
"""The shape of a definition at each level."""
