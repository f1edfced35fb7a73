"""One step of a plan: its edges and its envelope, read from the canonical definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sluice.domain.durations import microseconds_or_none
from sluice.domain.run.graph import PlanError

SWITCH: Final = "logic.switch"
WAITING_KINDS: Final = frozenset({"approval", "logic.wait", "action.workflow"})
"""Steps of these kinds wait for somebody else: they are not in flight, and the run's clock stops while only they remain."""
APART_KINDS: Final = frozenset({"action.container"})
"""Steps of these kinds run in pods of their own: a segment hands them over and may close while they go on."""
_KINDS: Final = ("data", "skill", "agent", "mcp", "logic", "approval", "action", "notify", "storage")


@dataclass(frozen=True, slots=True)
class Need:
    """A step that comes before; ``optional`` (written with a ``?``) lets the step run where that one was skipped."""

    step: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often to try again; times in microseconds, ``max_duration`` 0 for none."""

    limit: int
    first: int
    factor: int
    longest: int
    max_duration: int

    def pause(self, attempt: int) -> int:
        """How long to wait after this failed attempt, which counts from 1."""
        # Past 63 doublings every pause has met its bound; the exponent stays small.
        return min(self.first * int(self.factor ** min(attempt - 1, 63)), self.longest)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step. ``switches`` and ``senders`` guard it: it runs where one of them chose it, or failed and sent here.

    ``ancestors`` are all steps before it along edges, ``visible`` those whose results it may see. ``targets`` is what
    it may choose as a switch, ``needed_by`` who needs it. ``timeout`` is one attempt's, microseconds.
    """

    name: str
    index: int
    source: Mapping[str, Any]
    kind: str
    final: bool
    needs: tuple[Need, ...]
    switches: tuple[str, ...]
    senders: tuple[str, ...]
    targets: tuple[str, ...]
    needed_by: tuple[str, ...]
    ancestors: int
    visible: int
    goto: str
    then_fail: bool
    tolerated: bool
    retry: Retry | None
    timeout: int

    @property
    def bit(self) -> int:
        """This step as a set."""
        return 1 << self.index

    @property
    def guards(self) -> tuple[str, ...]:
        """Who must choose it or send here, if anybody."""
        return self.switches + self.senders

    @property
    def waits(self) -> bool:
        """Whether it waits rather than works."""
        return self.kind in WAITING_KINDS

    @property
    def apart(self) -> bool:
        """Whether it runs in a pod of its own, apart from the segment."""
        return self.kind in APART_KINDS

    @property
    def spec(self) -> Mapping[str, Any]:
        """The fields of its kind."""
        found = self.source
        for key in self.kind.split("."):
            found = found[key] or {}
        return found


@dataclass(frozen=True, slots=True)
class Edges:
    """All edges among the steps of one section, by name."""

    final: bool
    needs: Mapping[str, tuple[Need, ...]]
    switches: Mapping[str, list[str]]
    senders: Mapping[str, list[str]]
    targets: Mapping[str, tuple[str, ...]]
    needed_by: Mapping[str, list[str]]
    predecessors: Mapping[str, list[str]]


def edges_of(sources: Sequence[Mapping[str, Any]], *, final: bool) -> Edges:
    """Gather the edges; PlanError for one that leads nowhere."""
    names = [source["name"] for source in sources]
    switches: dict[str, list[str]] = {name: [] for name in names}
    senders: dict[str, list[str]] = {name: [] for name in names}
    needed_by: dict[str, list[str]] = {name: [] for name in names}
    needs: dict[str, tuple[Need, ...]] = {}
    targets: dict[str, tuple[str, ...]] = {}
    for source in sources:
        name = source["name"]
        needs[name] = tuple(
            Need(text.rstrip("?"), text.endswith("?")) for text in dict.fromkeys(source.get("needs") or ())
        )
        targets[name] = tuple(dict.fromkeys(_targets(source)))
        goto = (source.get("onError") or {}).get("goto")
        _check_known(name, [*(need.step for need in needs[name]), *targets[name], *([goto] if goto else [])], switches)
        for need in needs[name]:
            needed_by[need.step].append(name)
        for target in targets[name]:
            switches[target].append(name)
        if goto:
            senders[goto].append(name)
    predecessors = {name: [*(need.step for need in needs[name]), *switches[name], *senders[name]] for name in names}
    return Edges(final, needs, switches, senders, targets, needed_by, predecessors)


def planned_step(source: Mapping[str, Any], edges: Edges, *, index: int, ancestors: int, visible: int) -> PlannedStep:
    """Read one step of the definition."""
    name, on_error = source["name"], source.get("onError") or {}
    return PlannedStep(
        name=name,
        index=index,
        source=source,
        kind=kind_of(source),
        final=edges.final,
        needs=edges.needs[name],
        switches=tuple(edges.switches[name]),
        senders=tuple(edges.senders[name]),
        targets=edges.targets[name],
        needed_by=tuple(edges.needed_by[name]),
        ancestors=ancestors,
        visible=visible,
        goto=on_error.get("goto") or "",
        then_fail=on_error.get("then") == "Fail",
        tolerated=on_error.get("action") == "Continue",
        retry=_retry(source.get("retry")),
        timeout=microseconds_or_none(source.get("timeout")),
    )


def kind_of(source: Mapping[str, Any]) -> str:
    """``agent``, ``approval``, ..., and for actions and logic the key inside as well: ``action.http``, ``logic.switch``."""
    for kind in _KINDS:
        inner = source.get(kind)
        if inner is not None:
            if kind not in ("action", "logic"):
                return kind
            return next((f"{kind}.{key}" for key, value in inner.items() if value is not None), kind)
    raise PlanError(f"step {source['name']} does nothing; give it one of {', '.join(_KINDS)}")


def _retry(source: Mapping[str, Any] | None) -> Retry | None:
    if source is None:
        return None
    backoff = source.get("backoff") or {}
    return Retry(
        limit=source["limit"],
        first=microseconds_or_none(backoff.get("duration", "1s")),
        factor=backoff.get("factor", 2),
        longest=microseconds_or_none(backoff.get("max", "5m")),
        max_duration=microseconds_or_none(source.get("maxDuration")),
    )


def _targets(source: Mapping[str, Any]) -> Iterable[str]:
    switch = (source.get("logic") or {}).get("switch")
    if switch:
        for case in switch["cases"]:
            yield from case.get("next") or ()
        yield from switch.get("default") or ()


def _check_known(name: str, mentioned: Iterable[str], known: Mapping[str, Any]) -> None:
    for other in mentioned:
        if other not in known:
            raise PlanError(f"step {name} names {other}, which is no step beside it; correct the name or add the step")
