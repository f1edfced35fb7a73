"""A finding: one line that names a field, says what is wrong with it and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sluice.domain.expressions.problems import Problem
from sluice.domain.misspellings import nearest


class Severity(StrEnum):
    """An error keeps an object from being applied or published; a warning doesn't."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """What sort of thing is wrong; for programs, since messages may change."""

    MISSING = "Missing"
    WRONG_TYPE = "WrongType"
    WRONG_FORM = "WrongForm"
    OUT_OF_BOUNDS = "OutOfBounds"
    UNKNOWN_FIELD = "UnknownField"
    ONE_OF = "OneOf"
    CONFLICT = "Conflict"
    TOO_LARGE = "TooLarge"
    DUPLICATE = "Duplicate"
    NAME = "Name"
    UNKNOWN_REFERENCE = "UnknownReference"
    CYCLE = "CycleDetected"
    EXPRESSION = "Expression"
    SCHEMA = "Schema"
    PYTHON = "Python"
    REQUIREMENTS = "Requirements"
    SCHEDULE = "Schedule"
    PARAMETER = "Parameter"
    FILE_NOT_INLINED = "FileNotInlined"
    NOT_EXECUTABLE = "NotExecutable"
    REFUSED = "Refused"
    IGNORED = "Ignored"
    UNREADABLE = "Unreadable"
    SYNTAX = "Syntax"
    COULD_RUN_IN_PARALLEL = "CouldRunInParallel"
    MISSING_APPROVAL = "MissingApproval"
    FIRST_PUBLISH_IN_PRODUCTION = "FirstPublishInProduction"
    INCOMPLETE_ROLLOUT = "IncompleteRollout"


@dataclass(frozen=True, slots=True)
class Finding:
    """``field`` is a path as people write it (``spec.definition.steps[3].needs[0]``), empty for the whole object."""

    field: str
    message: str
    severity: Severity = Severity.ERROR
    code: Code = Code.WRONG_FORM

    @property
    def is_error(self) -> bool:
        """Whether it keeps the object from being applied or published."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def warning(field: str, message: str, code: Code) -> Finding:
    """A finding that stops nothing."""
    return Finding(field, message, Severity.WARNING, code)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Only what stops something."""
    return [finding for finding in findings if finding.is_error]


_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def join(field: str, *parts: str | int) -> str:
    """``field`` and the way on from it: ``join("steps", 2, "when")`` is ``steps[2].when``."""
    text = field
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not (part.isascii() and part.isidentifier()) and not _PLAIN_KEY.fullmatch(part):
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
        else:
            text += f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Iterable[str], *, what: str = "known are") -> str:
    """The end of a message about an unknown name: the nearest known one, or all of them if they are few."""
    names = list(known)
    close = nearest(word, names)
    if close:
        return f"did you mean {close}?"
    if not names:
        return "there are none"
    shown = ", ".join(sorted(names)[:20])
    return f"{what} {shown}" + (", ..." if len(names) > 20 else "")


def of_problem(problem: Problem, field: str, code: Code) -> Finding:
    """What an expression or a schema complains of, at its place below ``field``."""
    place = f" (at {problem.line}:{problem.column})" if problem.offset else ""
    return Finding(join(field, *problem.path), f"{problem.message}{place}", code=code)
