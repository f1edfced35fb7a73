"""Values of parameters: the run's over the EnvironmentState's over the Environment's over the default.

Only the declaration is versioned; what comes out is written with the pin. ``null`` counts as not given. The values of an
Environment or EnvironmentState may name parameters that this version does not declare, since they serve many versions; a run's
may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The values, what has none, and what has a wrong one (a sentence each). Usable only if both lists are empty."""

    values: dict[str, Any]
    missing: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether a run may start with these."""
        return not self.missing and not self.invalid

    @property
    def message(self) -> str:
        """One line for people; empty when usable."""
        wanted = f"no value for {', '.join(self.missing)}" if self.missing else ""
        return "; ".join(part for part in (wanted, *self.invalid) if part)


def parameters(
    declared: Mapping[str, Mapping[str, Any]] | None,
    *,
    environment: Values | None = None,
    state: Values | None = None,
    run: Values | None = None,
) -> Resolved:
    """Resolve the parameters that a canonical definition declares; the lowest layer is its ``default``."""
    declared = declared or {}
    layers = (
        ("spec.input.params", run or {}),
        ("the EnvironmentState", state or {}),
        ("the Environment", environment or {}),
    )
    values: dict[str, Any] = {}
    missing: list[str] = []
    invalid: list[str] = [
        f"params.{name} of the run is not declared by this version; it declares {', '.join(sorted(declared)) or 'none'}"
        for name in sorted(run or {})
        if name not in declared
    ]
    for name, parameter in sorted(declared.items()):
        origin, value = _first_given(name, layers, parameter.get("default"))
        if value is None:
            missing.append(name)
            continue
        complaints = list(_complaints(value, parameter))
        invalid += [f"params.{name} of {origin} {complaint}" for complaint in complaints]
        if not complaints:
            values[name] = value
    return Resolved(values, tuple(missing), tuple(invalid))


def _first_given(name: str, layers: tuple[tuple[str, Values], ...], default: Any) -> tuple[str, Any]:
    for origin, values in layers:
        if values.get(name) is not None:
            return origin, values[name]
    return "the default", default


def _complaints(value: Any, parameter: Mapping[str, Any]) -> Iterator[str]:
    wanted = str(parameter.get("type", ""))
    fits = _FITS.get(wanted)
    if fits is not None and not fits(value):
        yield f"must be {_ARTICLES[wanted]} {wanted}, not {_json_type(value)}"
        return
    allowed = parameter.get("enum")
    if allowed is not None and not any(_same(value, option) for option in allowed):
        yield f"is {value!r}, allowed are {', '.join(repr(option) for option in allowed)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_ARTICLES: Final = {name: "an" if name[0] in "aio" else "a" for name in _FITS}


def _json_type(value: Any) -> str:
    return next((f"{_ARTICLES[name]} {name}" for name, fits in _FITS.items() if fits(value)), "null")


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
