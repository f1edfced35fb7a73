"""Check one expression against its scope."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from sluice.domain.expressions.checked import essence, read_facts
from sluice.domain.expressions.compiled import Compiled
from sluice.domain.expressions.complaints import hidden_steps, problems_of
from sluice.domain.expressions.environment import checker, runtime
from sluice.domain.expressions.problems import Problem, problem_at
from sluice.domain.expressions.scope import Declared, Scope, declared_for, names_in
from sluice.domain.expressions.template import without_strings

MAX_EXPRESSION_BYTES = 16 * 1024
_HAS = re.compile(r"\bhas\s*\(\s*([\w\s.]+?)\s*\)")


class Expected(StrEnum):
    """What the place of a template takes. A value that is only known in a run is checked there, by its reader."""

    ANY = "any value"
    BOOLEAN = "true or false"
    TEXT = "text"
    INTEGER = "an integer"
    LIST = "a list"
    MAP = "a map"
    DURATION = "a duration"


_ACCEPTED: Mapping[Expected, tuple[str, ...]] = {
    Expected.BOOLEAN: ("BOOL",),
    Expected.TEXT: ("STRING",),
    Expected.INTEGER: ("INT", "UINT"),
    Expected.LIST: ("LIST",),
    Expected.MAP: ("MAP",),
    Expected.DURATION: ("DURATION", "STRING"),
}


def compile_expression(source: str, scope: Scope, *, expected: Expected = Expected.ANY) -> Compiled | list[Problem]:
    """Check one expression, written without ``${ }``; the problems' offsets count from its start."""
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError as error:
        return [problem_at(source, error.start, "half of a surrogate pair is no character; write the character itself")]
    if size > MAX_EXPRESSION_BYTES:
        return [Problem(f"the expression has {size} bytes; {MAX_EXPRESSION_BYTES} are the limit, split it")]
    if "\0" in source:
        return [problem_at(source, source.index("\0"), "a NUL character can't stand in an expression; write \\u0000")]
    mentioned = names_in(source)
    declared = declared_for(scope, mentioned)
    outcome = _checked(source, declared)
    hidden = hidden_steps(source, scope) if any(m in scope.known and m not in scope.steps for m in mentioned) else []
    if isinstance(outcome, str):
        return problems_of(source, outcome, scope) + hidden
    compiled, returned = outcome
    if hidden:
        return hidden
    if complaint := _unsuitable(returned, expected):
        return [Problem(complaint)]
    if tested := _tested_variable(source, declared):
        return [tested]
    return compiled


@lru_cache(maxsize=1024)
def _checked(source: str, declared: Declared) -> tuple[Compiled, str] | str:
    """The expression and the type it returns, or the checker's report. Definitions are compiled again and again."""
    try:
        checked = checker(declared).compile(source)
    except RuntimeError as error:
        return str(error)
    serialized = checked.serialize()
    facts = read_facts(serialized)
    essential = essence(serialized)
    names = frozenset(name for name in facts.names if declared.declares(name))
    compiled = Compiled(source.strip(), names, facts.cost, essential, runtime().deserialize(essential))
    return compiled, checked.return_type().name()


def _unsuitable(returned: str, expected: Expected) -> str | None:
    """Why a result of this type can't stand where it is, as far as the checker knows."""
    kind = returned.partition("<")[0]
    if kind == "optional_type":
        return "the value is optional; end it with .orValue(...), as in payload.?x.orValue('')"
    if kind == "TYPE":
        return "the value is a type; use type(x) in comparisons only"
    if expected is Expected.ANY or kind in ("DYN", *_ACCEPTED[expected]):
        return None
    return f"{expected.value} is expected here, and this is of type {returned.lower()}"


def _tested_variable(source: str, declared: Declared) -> Problem | None:
    """``has(steps.a.output)`` passes the checker, and would answer with the output itself instead of true or false."""
    for test in _HAS.finditer(without_strings(source)):
        name = "".join(test[1].split())
        if declared.declares(name):
            hint = f"has({name}.field) asks for a field of it"
            return problem_at(source, test.start(1), f"{name} is always there, so has({name}) asks nothing; {hint}")
    return None
