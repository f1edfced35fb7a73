"""The sticky key of a run: what ``stickyKey`` of the stable version says of its payload."""

from __future__ import annotations

from typing import Any

from sluice.api.workflowrun import RunInput
from sluice.domain.expressions import (
    Bindings,
    CompiledValue,
    EvaluationError,
    Problem,
    Scope,
    compile_value,
    evaluate,
)
from sluice.reconcilers.runs.routes import VersionInForce


class StickyKeys:
    """Compiles each version's ``stickyKey`` once."""

    def __init__(self) -> None:
        self._compiled: dict[str, CompiledValue | None] = {}

    def key(self, version: VersionInForce, run: RunInput) -> tuple[bool, Any]:
        """(there is one, its value); none where the version has no ``stickyKey`` or it can't be evaluated."""
        compiled = self._of(version)
        if compiled is None:
            return False, None
        bindings = Bindings()
        bindings.set("payload", run.payload)
        bindings.set_params(dict(run.params or {}))
        bindings.set_record("trigger", {"type": run.trigger.type if run.trigger else "manual"})
        try:
            return True, evaluate(compiled, bindings)
        except EvaluationError:
            return False, None

    def _of(self, version: VersionInForce) -> CompiledValue | None:
        if version.digest not in self._compiled:
            source = version.definition.get("stickyKey")
            params = {name: parameter["type"] for name, parameter in (version.definition.get("params") or {}).items()}
            compiled = compile_value(source, Scope(params=params)) if source else None
            broken = isinstance(compiled, list) and any(isinstance(item, Problem) for item in compiled)
            self._compiled[version.digest] = None if broken or isinstance(compiled, list) else compiled
        return self._compiled[version.digest]
