"""Random definitions with prepared outcomes, for properties.

Steps are drawn in an order in which edges lead forward only, and declared in another one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from sluice.domain.run.simulation import Outcome, Simulation, failed, succeeded
from tests.domain.run.builders import CONTINUE, SECOND, code, container, definition, goto, play, switch


@dataclass(frozen=True)
class Drawn:
    """A definition and what its steps do: how often each fails before it succeeds, how long each attempt takes."""

    defined: dict[str, Any]
    fails: dict[str, int]
    took: dict[str, int]
    cancel_at: int = 0

    def outcomes(self) -> dict[str, list[Outcome]]:
        return {name: self._attempts(name, fails) for name, fails in self.fails.items()}

    def _attempts(self, name: str, fails: int) -> list[Outcome]:
        took = self.took[name] * SECOND
        attempts = [failed("CodeFailed", f"{name} failed", took=took) for _ in range(fails)]
        return [*attempts, succeeded({"by": name}, took=took, context={f"from_{name}": name})]

    def play(self, **how: Any) -> Simulation:
        return play(self.defined, self.outcomes(), payload={"who": "ana"}, cancel_at=self.cancel_at, **how)

    def timed(self, took: dict[str, int]) -> Drawn:
        return replace(self, took=took)


@st.composite
def graphs(draw: st.DrawFn, *, halting: bool, executions: tuple[str, ...] = ("Parallel", "Sequential")) -> Drawn:
    """A definition. Unless ``halting``, no failure ends the run before its steps are through."""
    count = draw(st.integers(1, 9))
    names = [f"s{n}" for n in range(count)]
    steps = [draw(_steps(names, place, halting=halting)) for place in range(count)]
    last = [code("t0"), container("t1", needs=["t0"])][: draw(st.integers(0, 2))]
    outputs = {f"o{n}": f"${{ steps.{name}.output }}" for n, name in enumerate(names)}
    everyone = [*names, *(step["name"] for step in last)]
    return Drawn(
        defined=definition(
            *draw(st.permutations(steps)),
            execution=draw(st.sampled_from(executions)),
            failurePolicy=draw(st.sampled_from(["Drain", "Cancel"])),
            outputs=outputs,
            **{"finally": last},
        ),
        fails={name: draw(st.sampled_from([0, 0, 0, 1, 9])) for name in everyone},
        took=draw(timings(everyone)),
    )


def timings(names: list[str]) -> st.SearchStrategy[dict[str, int]]:
    """How long each step takes, in seconds."""
    return st.fixed_dictionaries({name: st.integers(0, 5) for name in names})


@st.composite
def _steps(draw: st.DrawFn, names: list[str], place: int, *, halting: bool) -> dict[str, Any]:
    earlier, later = names[:place], names[place + 1 :]
    needs = [name + draw(st.sampled_from(["", "", "?"])) for name in draw(_some(earlier))]
    if later and draw(st.integers(0, 3)) == 0:
        case = (draw(st.sampled_from(["true", "false"])), draw(_some(later)))
        return switch(names[place], case, default=draw(_some(later)), needs=needs)
    envelope: dict[str, Any] = {"onError": draw(_on_error(later, halting=halting))}
    if draw(st.integers(0, 4)) == 0:
        envelope["when"] = "${ false }"
    if draw(st.booleans()):
        envelope["retry"] = {"limit": draw(st.integers(0, 2))}
    make = draw(st.sampled_from([code, code, container]))
    return make(names[place], needs=needs, **envelope)


def _some(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=3, unique=True) if names else st.just([])


def _on_error(later: list[str], *, halting: bool) -> st.SearchStrategy[dict[str, str]]:
    ways = [st.just(CONTINUE)]
    if halting:
        ways.append(st.just({"action": "Fail"}))
    if later:
        ways.append(st.builds(goto, st.sampled_from(later), st.sampled_from(["Continue", "Fail"])))
    return st.one_of(ways)
