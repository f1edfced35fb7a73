"""What can be wrong with an expression: a problem found before a run, an error raised within one."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a template is refused, with its place.

    ``offset`` counts characters from the start of the string that ``path`` leads to; ``line`` and ``column`` say the
    same for people, both from 1, or 0 where the problem is the value as a whole. ``path`` is the way through maps and
    lists from the value that was compiled.
    """

    message: str
    offset: int = 0
    line: int = 0
    column: int = 0
    path: tuple[str | int, ...] = ()

    def under(self, *parents: str | int) -> Problem:
        """The same problem as seen from further outside."""
        return replace(self, path=(*parents, *self.path))

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}" if self.line else ""
        return ": ".join(part for part in (join_path(self.path), place, self.message) if part)


class EvaluationError(Exception):
    """An expression that was fine to compile had no value for these inputs. ``expression`` is its source."""

    def __init__(self, message: str, expression: str = "") -> None:
        super().__init__(f"{message} (in ${{ {expression} }})" if expression else message)
        self.message = message
        self.expression = expression


def join_path(path: tuple[str | int, ...]) -> str:
    """``("steps", 2, "when")`` as people write it: ``steps[2].when``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def place_in(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character of ``text``."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def problem_at(text: str, offset: int, message: str) -> Problem:
    """A problem at a character of ``text``."""
    line, column = place_in(text, offset)
    return Problem(message=message, offset=offset, line=line, column=column)
