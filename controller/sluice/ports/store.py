"""The Store port: Kubernetes objects, as the Kubernetes API serves them.

Every adapter passes the same contract suite (``tests/contracts/store``): SQLite, and a real kube-apiserver. Objects are
JSON dicts in the wire's spelling (``apiVersion``, ``kind``, ``metadata``, ``spec``, ``status``). What comes back is the
caller's own copy. Every backend error is translated into one of the errors of ``sluice.ports.errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from sluice.api.kinds import KindInfo

Obj = dict[str, Any]
"""One Kubernetes object as JSON: maps, lists, strings, numbers, booleans, None."""

PatchType = Literal["merge", "json"]
Propagation = Literal["Background", "Foreground", "Orphan"]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


class Ref(NamedTuple):
    """Names one object. ``namespace`` is empty for kinds without one."""

    kind: KindInfo
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: the user and groups as the API server knows them."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Which objects a list or watch is about.

    ``labels`` is the label selector syntax of Kubernetes (``a=b,c!=d,e in (f,g),h,!i``). ``fields`` is the field
    selector syntax (``metadata.name=x,status.phase!=y``); only ``metadata.name``, ``metadata.namespace`` and the kind's
    ``selectable`` fields are known, any other is BadRequest.
    """

    labels: str = ""
    fields: str = ""


EVERYTHING = Selector()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, taken at ``resource_version``; ``continue_`` is empty on the last page."""

    items: list[Obj]
    resource_version: str
    continue_: str = ""
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change. ``raw`` is ``object`` encoded as JSON, where the adapter has it at hand; ``object`` is read-only.

    ``ref`` names the object where the adapter knows it without decoding; None on a BOOKMARK.
    """

    type: EventType
    object: Obj
    resource_version: str
    raw: bytes = field(default=b"", repr=False)
    ref: Ref | None = None


class Watch(Protocol):
    """A running watch: iterate it on one thread; ``close`` from any thread ends the iteration."""

    def __iter__(self) -> Iterator[WatchEvent]: ...

    def close(self) -> None:
        """End the watch. Safe to call twice."""


class Store(Protocol):
    """Objects with resource versions, optimistic conflicts, generation, finalizers and owner references.

    What always holds: a write that was answered survives a crash and a power loss. ``metadata.generation`` starts at 1
    and rises when anything but metadata and status changes (and when deletion is asked for). A write that changes
    nothing moves nothing and answers with the object as it is.
    """

    def get(self, ref: Ref) -> Obj:
        """The newest object. NotFound if there is none."""

    def list(
        self,
        kind: KindInfo,
        namespace: str = "",
        selector: Selector = EVERYTHING,
        *,
        limit: int = 0,
        continue_: str = "",
    ) -> Page:
        """Objects ordered by namespace and name; all namespaces when ``namespace`` is empty.

        ``limit`` 0 means all. ``continue_`` is a former page's; Gone when it has expired.
        """

    def create(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """Store a new object. Sets uid, creationTimestamp, resourceVersion, generation; honours ``generateName``.

        AlreadyExists when the name is taken, Invalid when it breaks the kind's rules, Forbidden when this actor may not.
        ``status`` in the given object is dropped for kinds with a status subresource. ``dry_run``, here and below,
        answers with what would be stored and stores nothing.
        """

    def update(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """Replace everything but status. With ``metadata.resourceVersion`` set, Conflict unless it is the newest.

        Removing the last finalizer of an object that is being deleted removes it.
        """

    def update_status(self, obj: Obj, *, manager: str = "sluice", dry_run: bool = False) -> Obj:
        """Replace status only; spec, labels and generation stay. Conflict as in ``update``."""

    def patch(
        self,
        ref: Ref,
        patch: Any,
        *,
        type: PatchType = "merge",
        status: bool = False,
        manager: str = "sluice",
        dry_run: bool = False,
    ) -> Obj:
        """RFC 7386 merge patch or RFC 6902 JSON patch, of everything but status, or of status alone.

        A ``metadata.resourceVersion`` in a merge patch makes it conditional.
        """

    def apply(self, obj: Obj, *, manager: str, force: bool = False, status: bool = False, dry_run: bool = False) -> Obj:
        """Server-side apply: create or merge by field ownership; ``obj`` holds just what ``manager`` wants to own.

        Conflict naming each field and its manager when another manager owns a field with another value and ``force``
        is not set. Fields that this manager owned before and left out are removed, unless shared.
        ``dry_run`` answers with what would be stored and stores nothing.
        """

    def delete(
        self,
        ref: Ref,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "Background",
        dry_run: bool = False,
    ) -> Obj:
        """Delete, or only mark with ``deletionTimestamp`` while finalizers remain; answers with the last state.

        Of what is gone at once a server may tell only the name, the namespace and the uid.

        Dependents (owner references by uid) go with it, unless ``Orphan``. Conflict when ``uid`` or
        ``resource_version`` is given and differs.
        """

    def watch(self, kind: KindInfo, namespace: str = "", selector: Selector = EVERYTHING, *, since: str = "") -> Watch:
        """Changes after resource version ``since``, in order; from an empty ``since`` first all objects as ADDED.

        After these initial objects comes one BOOKMARK. Gone when ``since`` is older than what is kept.
        """


ChangeListener = Callable[[WatchEvent], None]
