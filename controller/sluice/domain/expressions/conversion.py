"""JSON to CEL and back, fixed by the vectors in ``tests/domain/expressions/vectors/numbers.json``.

**A number is an integer exactly if its value is.** JSON knows one kind of number, and writers disagree on how to print
it: JavaScript prints ``1.0`` as ``1``. So the value decides and never the spelling:

* without a fraction and within 64 bits: an ``int``, exact, also beyond 2^53. ``1``, ``1.0`` and ``1e0`` are the same int;
* a double without a fraction beyond 2^53 stays a ``double``, since it no longer tells neighbours apart;
* everything else is a ``double``; so is an integer beyond 64 bits, which loses digits: send such ids as text.

The consequence: ``payload.amount * 1.1`` is refused for an amount of 10 (CEL never mixes int and double), be it spelled
``10`` or ``10.0``. Arithmetic that may meet both says ``double(payload.amount) * 1.1``. Comparisons mix freely.

Back in JSON the same rule holds: the double ``4.0`` is ``4``, ``-0.0`` is ``0``; NaN and infinity are no JSON and an
error. ``bytes`` become base64 text, timestamps RFC 3339 in UTC, durations what Go prints (``1h30m0s``), unsigned
integers integers. Keys must be text. Types and optional values have no JSON and are errors.
"""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from cel_expr_python import cel

from sluice.domain.expressions.problems import EvaluationError

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

MAX_RESULT_BYTES = 1024 * 1024
_INT64 = range(-(2**63), 2**63)
_EXACT = 2.0**53


def to_cel(value: object) -> object:
    """A copy of JSON data in which each number has the type that CEL shall see; EvaluationError if it is no JSON."""
    kind = type(value)
    if kind is str:
        return _text(value)  # type: ignore[arg-type]
    if kind is bool or value is None:
        return value
    if kind is int:
        return value if value in _INT64 else _as_double(value)  # type: ignore[arg-type]
    if kind is float:
        return _number(value)  # type: ignore[arg-type]
    if kind is dict:
        return {_key(key): to_cel(item) for key, item in value.items()}  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        return [to_cel(item) for item in value]  # type: ignore[attr-defined]
    raise EvaluationError(
        f"a value of type {kind.__name__} is no JSON; give text, numbers, true, false, null, lists, maps"
    )


def timestamp(value: object) -> datetime:
    """An RFC 3339 text or a datetime with a zone as CEL's timestamp."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise EvaluationError(f"the time {value} has no zone; write it as 2026-01-31T09:30:00Z")
    return moment.astimezone(UTC)


def to_json(value: cel.Value) -> JSON:
    """The JSON of a result; EvaluationError for what has none, and for more than a megabyte."""
    return _Reader().read(value)


def contents(value: cel.Value) -> object:
    """What a value that is not null holds, its items unread; EvaluationError for an optional one."""
    try:
        return value.value()
    except TypeError as error:
        raise EvaluationError("the result is an optional value, which JSON lacks; end it with .orValue(...)") from error


class _Reader:
    """Walks a result value by value, so a huge one stops early.

    Walking also keeps away from two faults of the library that end the process: `plain_value` of a map with an optional
    in it, and reading a null, which gives away a reference to None that it does not own.
    """

    def __init__(self) -> None:
        self.left = MAX_RESULT_BYTES

    def read(self, value: cel.Value) -> JSON:
        if value.type().name() == "NULL":
            self._spend(4)
            return None
        plain = contents(value)
        self._spend(len(plain) if isinstance(plain, str | bytearray) else 8)
        if isinstance(plain, list):
            return [self.read(item) for item in plain]
        if isinstance(plain, dict):
            return {self._key(key): self.read(item) for key, item in plain.items()}
        return _scalar(plain)

    def _key(self, key: object) -> str:
        self._spend(len(key) if isinstance(key, str) else 8)
        return _key(key)

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise EvaluationError("the result is larger than 1 MiB; keep large data in storage, or select less of it")


def _scalar(plain: object) -> JSON:
    match plain:
        case None | bool() | int() | str():
            return plain
        case float():
            return _number(plain)
        case bytes() | bytearray():
            return base64.b64encode(plain).decode("ascii")
        case datetime():
            return _rfc3339(plain)
        case timedelta():
            return go_duration(plain)
    raise EvaluationError("the result is a type or a message, which JSON lacks; use type(x) in comparisons only")


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise EvaluationError(f"{value} is no number that JSON can say; check what it was divided by")
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise EvaluationError("an integer is larger than any number; send it as text") from error


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise EvaluationError(f"the key {key} of a map is no text; write string(...) around it")
    return _text(key)


def _text(text: str) -> str:
    """The library ends texts at a NUL, silently, and takes no half of a surrogate pair."""
    if "\0" in text:
        raise EvaluationError("a text holds a NUL character, which expressions can't read; remove it, or send base64")
    try:
        text.isascii() or text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EvaluationError("a text holds half of a surrogate pair, which is no character; send it whole") from error
    return text


def _rfc3339(moment: datetime) -> str:
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


def go_duration(value: timedelta) -> str:
    """A duration as Go and Kubernetes print it: ``1h30m0s``, ``1.5s``, ``250ms``, ``0s``."""
    micros = value // timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    if 0 < micros < 1000:
        return f"{sign}{micros}µs"
    if 0 < micros < 1_000_000:
        return f"{sign}{_decimal(micros, 1000)}ms"
    minutes, rest = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{part:0{digits}d}".rstrip("0").rstrip(".") if part else str(whole)
