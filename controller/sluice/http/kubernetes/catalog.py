"""What is served: each kind with its schema, its columns and the verbs it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.api.kinds import ALL_KINDS, CATEGORY, EVENT, GROUP, KindInfo
from sluice.http.kubernetes.builtin_schemas import BUILTIN_SCHEMAS
from sluice.http.kubernetes.events import EVENTS_V1, as_events_v1
from sluice.ports.store import Obj

Schema = Mapping[str, Any]
PrinterColumn = Mapping[str, Any]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ_VERBS = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind as served. ``stored`` is the kind that the store keeps; ``view`` turns that into the served form."""

    kind: KindInfo
    stored: KindInfo
    verbs: tuple[str, ...] = ALL_VERBS
    view: Callable[[Obj], Obj] | None = None

    @property
    def is_custom(self) -> bool:
        """Whether this is one of Sluice's own kinds (on a cluster: a custom resource)."""
        return self.kind.group == GROUP

    @property
    def categories(self) -> tuple[str, ...]:
        """The words that name this kind together with others (``kubectl get sluice``)."""
        return (CATEGORY,) if self.is_custom else ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """All resources, with a structural schema and printer columns for each kind.

    ``schemas`` and ``columns`` are only indexed when a request needs them, so both may compute on demand.
    """

    schemas: Mapping[KindInfo, Schema] = field(default_factory=dict)
    columns: Mapping[KindInfo, Sequence[PrinterColumn]] = field(default_factory=dict)
    kinds: Sequence[KindInfo] = ALL_KINDS
    _found: dict[tuple[str, str], Resource] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Index the resources by group, version and plural."""
        for kind in self.kinds:
            self._found[kind.api_version, kind.plural] = Resource(kind, stored=kind)
        if EVENT in self.kinds:
            events = Resource(EVENTS_V1, stored=EVENT, verbs=READ_VERBS, view=as_events_v1)
            self._found[EVENTS_V1.api_version, EVENTS_V1.plural] = events

    def resources(self) -> tuple[Resource, ...]:
        """Everything that is served, in the order of the kinds."""
        return tuple(self._found.values())

    def find(self, api_version: str, plural: str) -> Resource | None:
        """The resource at this place of the URL space, or None."""
        return self._found.get((api_version, plural))

    def api_versions(self) -> tuple[str, ...]:
        """Every ``group/version`` that has resources, in order of appearance."""
        return tuple(dict.fromkeys(resource.kind.api_version for resource in self.resources()))

    def schema_of(self, kind: KindInfo) -> Schema | None:
        """The structural schema of ``kind``: the one handed in, else the small built-in one."""
        return self.schemas.get(kind) or BUILTIN_SCHEMAS.get(kind.kind)
