"""Query parameters of the Kubernetes API, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from sluice.http.kubernetes.errors import bad_request, invalid_option
from sluice.ports.store import Propagation, Selector

Query = dict[str, str]

_TRUE = {"true", "1", "t", "True", "TRUE", "T"}
_FALSE = {"", "false", "0", "f", "False", "FALSE", "F"}
MAX_MANAGER = 128


class Validation(StrEnum):
    """What to do about fields that the schema doesn't know, or that are given twice."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


class Match(StrEnum):
    """How ``resourceVersion`` of a list is meant."""

    UNSET = ""
    EXACT = "Exact"
    NOT_OLDER_THAN = "NotOlderThan"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list or a watch is about. ``timeout`` in seconds; None means the server decides."""

    selector: Selector
    limit: int = 0
    continue_: str = ""
    resource_version: str = ""
    match: Match = Match.UNSET
    watch: bool = False
    bookmarks: bool = False
    send_initial: bool | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a write is meant. ``manager`` owns the fields it sets; ``force`` is for apply alone."""

    manager: str
    dry_run: bool = False
    force: bool = False
    validation: Validation = Validation.WARN


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How a deletion is meant; an empty ``uid`` or ``resource_version`` asks for nothing."""

    propagation: Propagation = "Background"
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


def query_of(raw: bytes) -> Query:
    """The query string as a map; the first of several equal names counts."""
    if not raw:
        return {}
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    return dict(reversed(pairs))


def list_options(query: Query, *, name: str = "") -> ListOptions:
    """Options of a list or watch; ``name`` from the path becomes a field selector, as in ``watch`` of one object."""
    fields = query.get("fieldSelector", "")
    if name:
        fields = ",".join(filter(None, (f"metadata.name={name}", fields)))
    options = ListOptions(
        selector=Selector(query.get("labelSelector", ""), fields),
        limit=_whole("limit", query),
        continue_=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        match=_match(query),
        watch=flag(query, "watch"),
        bookmarks=flag(query, "allowWatchBookmarks"),
        send_initial=flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
        timeout=float(_whole("timeoutSeconds", query)) or None,
    )
    _check_versions(options)
    return options


def write_options(query: Query, *, user_agent: str, is_apply: bool = False) -> WriteOptions:
    """Options of create, update and patch; who names no field manager is called by its program's name."""
    manager = query.get("fieldManager", "")
    kind = "PatchOptions" if is_apply else "UpdateOptions"
    if len(manager) > MAX_MANAGER or not manager.isprintable():
        raise invalid_option(kind, "fieldManager", "Invalid value: must be printable and at most 128 characters")
    if is_apply and not manager:
        raise invalid_option(kind, "fieldManager", "Required value: is required for apply patch")
    if "force" in query and not is_apply:
        raise invalid_option("PatchOptions", "force", "Forbidden: may not be specified for non-apply patch")
    return WriteOptions(
        manager=manager or user_agent.partition("/")[0][:MAX_MANAGER] or "unknown",
        dry_run=dry_run(query.get("dryRun", "")),
        force=flag(query, "force"),
        validation=_validation(query),
    )


def dry_run(value: str) -> bool:
    """Whether nothing is to be stored; only ``All`` means so."""
    if value not in {"", "All"}:
        raise invalid_option("Options", "dryRun", f'Unsupported value: "{value}": supported values: "All"')
    return value == "All"


def delete_options(query: Query, body: object) -> DeleteOptions:
    """Options of a deletion: the query's, over those of a ``DeleteOptions`` body."""
    given = body if isinstance(body, dict) else {}
    preconditions = given.get("preconditions") or {}
    wanted = query.get("propagationPolicy") or given.get("propagationPolicy") or "Background"
    if query.get("orphanDependents") == "true" or given.get("orphanDependents") is True:
        wanted = "Orphan"
    policies: dict[str, Propagation] = {"Background": "Background", "Foreground": "Foreground", "Orphan": "Orphan"}
    if wanted not in policies:
        problem = f'Unsupported value: "{wanted}": supported values: "Background", "Foreground", "Orphan"'
        raise invalid_option("DeleteOptions", "propagationPolicy", problem)
    return DeleteOptions(
        propagation=policies[wanted],
        uid=preconditions.get("uid") or "",
        resource_version=preconditions.get("resourceVersion") or "",
        dry_run=dry_run(query.get("dryRun") or ",".join(given.get("dryRun") or [])),
    )


def flag(query: Query, name: str) -> bool:
    """A boolean parameter; one without a value is false."""
    value = query.get(name, "")
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise bad_request(f'{name}: "{value}" is not a boolean; use true or false')


def _whole(name: str, query: Query) -> int:
    value = query.get(name) or "0"
    if not value.isdecimal():
        raise bad_request(f'{name}: "{value}" is not a number of at least 0')
    return int(value)


def _match(query: Query) -> Match:
    value = query.get("resourceVersionMatch", "")
    if value not in set(Match):
        problem = f'Unsupported value: "{value}": supported values: "Exact", "NotOlderThan"'
        raise invalid_option("ListOptions", "resourceVersionMatch", problem)
    return Match(value)


def _validation(query: Query) -> Validation:
    value = query.get("fieldValidation") or Validation.WARN
    if value not in set(Validation):
        problem = f'Unsupported value: "{value}": supported values: "Ignore", "Strict", "Warn"'
        raise invalid_option("CreateOptions", "fieldValidation", problem)
    return Validation(value)


def _check_versions(options: ListOptions) -> None:
    """The combinations that the API machinery forbids, and resource versions that are no numbers."""
    version = options.resource_version
    if version and not version.isdecimal():
        raise bad_request(f'resourceVersion: Invalid value: "{version}": must be a number that a list or watch gave')
    if options.watch:
        if options.send_initial is not None and options.match is not Match.NOT_OLDER_THAN:
            problem = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise invalid_option("ListOptions", "resourceVersionMatch", problem)
        return
    if options.send_initial is not None:
        problem = "Forbidden: sendInitialEvents is forbidden for list"
        raise invalid_option("ListOptions", "sendInitialEvents", problem)
    if options.match and options.continue_:
        problem = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
        raise invalid_option("ListOptions", "resourceVersionMatch", problem)
    if options.match and not version:
        problem = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_option("ListOptions", "resourceVersionMatch", problem)
    if options.match is Match.EXACT and version == "0":
        problem = 'Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
        raise invalid_option("ListOptions", "resourceVersionMatch", problem)
