"""Turn what CEL's parser and checker print into problems that say what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sluice.domain.expressions.explanations import overload_message, without_status
from sluice.domain.expressions.problems import Problem, problem_at
from sluice.domain.expressions.scope import RECORDS, ROOTS, STEP_FIELDS, Scope
from sluice.domain.expressions.template import without_strings
from sluice.domain.misspellings import nearest

_REPORT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \||\nERROR: <input>|\Z)", re.DOTALL)
_STEP = re.compile(r"(?<![\w.])steps\s*\.\s*(\w+)")
_UNDECLARED = re.compile(r"undeclared reference to '(.+)' \(in container")
_CLOCKS = frozenset({"now", "today", "timestamp.now", "time.now", "uuid", "random", "rand"})


def problems_of(expression: str, report: str, scope: Scope) -> list[Problem]:
    """The checker's report about an expression as problems, the first one at each place."""
    found: dict[int, Problem] = {}
    for line, column, message in _entries(report):
        if "*error*" in message or (found and message.startswith("Syntax error")):
            continue  # a consequence of what was said before
        offset = _offset(expression, line, column)
        problem = _explain(expression, offset, message, scope)
        found.setdefault(problem.offset, problem)
    return sorted(found.values(), key=lambda problem: problem.offset)


def hidden_steps(expression: str, scope: Scope) -> list[Problem]:
    """Where an expression names a step of the graph that is not surely over by then."""
    return [
        problem_at(expression, name.start(), _unknown_step(name[1], scope))
        for name in _STEP.finditer(without_strings(expression))
        if name[1] in scope.known and name[1] not in scope.steps
    ]


def _entries(report: str) -> Iterator[tuple[int, int, str]]:
    matches = list(_REPORT.finditer(report))
    for match in matches:
        yield int(match[1]), int(match[2]), without_status(match[3])
    if not matches:
        yield 1, 1, without_status(report)


def _offset(expression: str, line: int, column: int) -> int:
    """The character that a line and column of the report mean; the start where there is no place."""
    if line < 1 or column < 1:
        return 0
    lines = re.split(r"(?<=\n)", expression)
    before = sum(len(text) for text in lines[: line - 1])
    return min(before + column - 1, len(expression))


def _explain(expression: str, offset: int, message: str, scope: Scope) -> Problem:
    if undeclared := _UNDECLARED.match(message):
        name = undeclared[1]
        start = _start_of_name(expression, offset, name)
        return problem_at(expression, start, _undeclared(name, expression, start, scope))
    if "recursion" in message:
        message = "it nests deeper than 32; a chain of more than 32 operators counts too, so split it or use join()"
    elif message.startswith("Syntax error"):
        message = _syntax(message)
    elif message.startswith("reserved identifier: "):
        message = f"{message.rpartition(' ')[2]} is a word that CEL reserves; choose another name"
    else:
        message = overload_message(message) or message
    return problem_at(expression, offset, message)


def _start_of_name(expression: str, offset: int, name: str) -> int:
    """The checker points at a dotted name's last dot, and at a method's parenthesis; people look for the name's start."""
    for end in (offset + len(name), offset + len(name.rpartition(".")[2]) + 1, offset):
        start = end - len(name)
        if start >= 0 and expression.startswith(name, start):
            return start
    return offset


def _syntax(message: str) -> str:
    text = message.removeprefix("Syntax error: ").partition(" expecting {")[0]
    text = text.replace("mismatched input '<EOF>'", "it ends too early, an operand or a closing bracket is missing")
    text = text.replace("'<EOF>'", "the end").replace("<EOF>", "the end")
    if "'= " in text or "'='" in text:
        return f"{text}; compare with =="
    return text


def _undeclared(name: str, expression: str, start: int, scope: Scope) -> str:
    root, _, rest = name.partition(".")
    if name in _CLOCKS or root in _CLOCKS:
        return (
            f"{name}() does not exist: all that an expression sees is recorded, so that a replay agrees; "
            "use run.startedAt or trigger.receivedAt, or a step that records its output"
        )
    if root == "steps":
        return _unknown_step(rest or _word_after(expression, start), scope)
    if root == "params":
        return _unknown_param(rest or _word_after(expression, start), scope)
    if root in ("error", "errors") and not scope.error:
        return f"{root} is only known where something failed: in retry.when, in a target of onError and in finally"
    if root in RECORDS:
        return _unknown_field(root, rest, RECORDS[root])
    after = expression[start + len(name) :].lstrip()
    if after.startswith("("):
        return f"there is no function {name}(...), or none that takes so many arguments"
    return f"there is no {name}; known are: {_listed((ROOTS - _hidden(scope)) | scope.local)}{_meant(name, ROOTS)}"


def _hidden(scope: Scope) -> frozenset[str]:
    return frozenset() if scope.error else frozenset({"error", "errors"})


def _unknown_step(rest: str, scope: Scope) -> str:
    step, _, field = rest.partition(".")
    if step in scope.steps or (step in scope.known and field):
        return _unknown_field(f"steps.{step}", field.partition(".")[0], STEP_FIELDS)
    visible = f"visible are: {_listed(scope.steps)}" if scope.steps else "no step runs before this one"
    if not step:
        return f"steps needs the name of a step, as in steps.x.output; {visible}"
    if step in scope.known:
        return f"steps.{step} is not a step that runs before this one; add it to needs; {visible}"
    return f"steps.{step} is not a step that runs before this one; {visible}{_meant(step, scope.steps)}"


def _unknown_param(name: str, scope: Scope) -> str:
    if not scope.params:
        return f"params.{name} is not declared: there are no params; declare it under definition.params"
    declared = _listed(scope.params)
    if not name:
        return f"params needs the name of a parameter; declared are: {declared}"
    return f"params.{name} is not declared; declared are: {declared}{_meant(name, scope.params)}"


def _unknown_field(record: str, name: str, fields: Collection[str]) -> str:
    if not name:
        return f"{record} needs a field; it has: {', '.join(fields)}"
    return f"{record} has no field {name}; it has: {', '.join(fields)}{_meant(name, fields)}"


def _word_after(expression: str, start: int) -> str:
    """What stands in the brackets of ``steps["a"]`` or after ``steps.``, for the message."""
    match = re.match(r"\w+\s*(?:\.\??\s*|\[\s*[\"'])(\w+)", expression[start:])
    return match[1] if match else ""


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")


def _meant(name: str, names: Collection[str]) -> str:
    close = nearest(name, names)
    return f"; did you mean {close}?" if close else ""
