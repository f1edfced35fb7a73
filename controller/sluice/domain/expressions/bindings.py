"""The values of one run that its expressions see.

A value is converted when an expression first names it, and kept converted: an index into 10,000 rows takes 5 ms with
the conversion and a microsecond without. The library keeps conversions inside an `Activation`, whose names are fixed
and whose memory also keeps what evaluations in it built. So here is one activation per set of names; expressions that
only look use it for ever, those that build values up to 64 times, and one that visits items gets an activation of its
own, since it touches everything anyway.

Not for several threads at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from cel_expr_python import cel

from sluice.domain.expressions.compiled import Compiled, Cost
from sluice.domain.expressions.conversion import timestamp, to_cel
from sluice.domain.expressions.environment import runtime
from sluice.domain.expressions.scope import RECORDS, TIMESTAMPS, ValueType

_MOST_BUILT = 64
_KEPT = 128
_EMPTY: Mapping[ValueType, object] = {ValueType.STRING: "", ValueType.INTEGER: 0, ValueType.TEXTS: {}}
_UNBORN_STEP: Mapping[str, object] = {
    "phase": "Pending",
    "output": {},
    "attempts": 0,
    "idempotencyKey": "",
    "artifacts": {},
}


@dataclass(slots=True)
class _Kept:
    activation: cel.Activation
    built: int = 0


class Bindings:
    """Names and their values; names are those of `scope`, such as ``payload``, ``params.x`` or ``steps.a.output``."""

    def __init__(self, outer: Bindings | None = None) -> None:
        self._outer = outer
        self._given: dict[str, object] = {}
        self._encoded: dict[str, bytes] = {}
        self._converted: dict[str, object] = {}
        self._activations: dict[frozenset[str], _Kept] = {}

    def set(self, name: str, value: object) -> None:
        """Bind a name to JSON data, which is handed over: it must not change afterwards."""
        self._forget(name)
        self._given[name] = value

    def set_encoded(self, name: str, encoded: bytes) -> None:
        """Bind a name to the bytes of a JSON document, decoded when an expression first needs it."""
        self._forget(name)
        self._encoded[name] = encoded

    def set_params(self, values: Mapping[str, object]) -> None:
        """Bind every resolved parameter."""
        for name, value in values.items():
            self.set(f"params.{name}", value)

    def set_record(self, record: str, values: Mapping[str, object]) -> None:
        """Bind ``env``, ``run``, ``trigger`` or ``error``. A field that is left out is null; texts are then ``""``,
        integers 0, times not bound. Times are RFC 3339 texts or datetimes.
        """
        if record == "run":
            values = {"scheduledAt": values.get("startedAt")} | {k: v for k, v in values.items() if v is not None}
        for field, kind in RECORDS[record].items():
            self.set(f"{record}.{field}", values.get(field, _EMPTY.get(kind)))

    def set_step(self, name: str, *, phase: str, output: object = None, attempts: int = 1, key: str = "") -> None:
        """Bind a step's record. The output of one that did not succeed is ``{}``, whatever is given."""
        self.set(f"steps.{name}.phase", phase)
        self.set(f"steps.{name}.attempts", attempts)
        self.set(f"steps.{name}.idempotencyKey", key)
        succeeded = phase == "Succeeded"
        if succeeded and isinstance(output, bytes):
            self.set_encoded(f"steps.{name}.output", output)
        else:
            self.set(f"steps.{name}.output", output if succeeded else {})

    def with_local(self, values: Mapping[str, object]) -> Bindings:
        """A view for one turn of a loop: these names, and what else is bound here, whose conversions are shared.

        What is bound in the view stays in the view; bind the outside first, a view may miss what comes later. An
        expression that names both the item and something large of the outside converts the large one in every turn;
        hand it to the body's graph as a parameter where that matters.
        """
        inner = Bindings(self)
        for name, value in values.items():
            inner.set(name, value)
        return inner

    def evaluate(self, compiled: Compiled) -> cel.Value:
        """The raw result, possibly an error value; raises EvaluationError for what is bound and is no JSON."""
        return compiled.program.eval(self._activation(compiled))

    def _activation(self, compiled: Compiled) -> cel.Activation:
        if self._outer is not None and not any(self._owns(name) for name in compiled.names):
            return self._outer._activation(compiled)
        if compiled.cost is Cost.LOOP:
            return self._fresh(compiled)
        kept = self._activations.get(compiled.names)
        if kept is None or kept.built >= _MOST_BUILT:
            if len(self._activations) >= _KEPT:
                self._activations.clear()
            kept = self._activations[compiled.names] = _Kept(self._fresh(compiled))
        kept.built += compiled.cost is Cost.BUILD
        return kept.activation

    def _fresh(self, compiled: Compiled) -> cel.Activation:
        return runtime().Activation({name: self._value(name) for name in compiled.names if self._has(name)})

    def _owns(self, name: str) -> bool:
        return name in self._given or name in self._encoded

    def _has(self, name: str) -> bool:
        if self._owns(name) or name.startswith("steps."):
            return True
        return self._outer is not None and self._outer._has(name)

    def _value(self, name: str) -> object:
        if self._outer is not None and not self._owns(name):
            return self._outer._value(name)
        if name not in self._converted:
            self._converted[name] = self._convert(name)
        return self._converted[name]

    def _convert(self, name: str) -> object:
        if name in self._encoded:
            return to_cel(orjson.loads(self._encoded[name]))
        if name in self._given:
            value = self._given[name]
            return timestamp(value) if name in TIMESTAMPS else to_cel(value)
        return _UNBORN_STEP[name.rpartition(".")[2]]

    def _forget(self, name: str) -> None:
        for held in (self._given, self._encoded, self._converted):
            held.pop(name, None)
        for names in [names for names in self._activations if name in names]:
            del self._activations[names]
