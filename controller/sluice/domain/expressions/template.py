"""Split a string into literal text and ``${ ... }`` expressions.

``$${`` is a literal ``${``. Where an expression ends is decided as CEL reads it: braces inside its strings and
comments don't count, braces of maps nest. A dollar sign directly before an expression can't be written as text
(``$${`` is the escape); ``${ '$' }${ price }`` says it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sluice.domain.expressions.problems import Problem, problem_at

_OPENING = re.compile(r"\$\$\{|\$\{")
# A quote with the prefixes that CEL allows; three quotes first, for they also begin with one.
_TOKEN = re.compile(r"""(?P<prefix>\b[rRbB]{1,2})?(?P<quote>\"\"\"|'''|"|')|(?P<comment>//)|(?P<brace>[{}])""")


class TemplateError(ValueError):
    """A string is no template. ``problem`` says where and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that stand for themselves; escapes are resolved."""

    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression in a template: its source as written between the braces, and where that source begins."""

    source: str
    offset: int


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed string. No two texts are neighbours and no text is empty, so equal templates compare equal."""

    parts: tuple[Text | Hole, ...]

    @property
    def literal(self) -> str | None:
        """The text, if there is no expression in it."""
        if any(isinstance(part, Hole) for part in self.parts):
            return None
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def single(self) -> Hole | None:
        """The expression, if the string is exactly that one; its value keeps its type."""
        match self.parts:
            case (Hole() as hole,):
                return hole
        return None


def escape(text: str) -> str:
    """The template that stands for ``text`` itself."""
    return text.replace("${", "$${")


def parse(text: str) -> Template:
    """Split ``text``; raises TemplateError where an expression or a string in it is never closed, or is empty."""
    parts: list[Text | Hole] = []
    literal = ""
    position = 0
    while opening := _OPENING.search(text, position):
        literal += text[position : opening.start()]
        if opening.group() == "$${":
            literal += "${"
            position = opening.end()
            continue
        end = _end_of_expression(text, opening.start())
        source = text[opening.end() : end]
        if not source.strip():
            raise TemplateError(
                problem_at(text, opening.start(), "the expression is empty; write one, or $${ for the characters ${")
            )
        if literal:
            parts.append(Text(literal))
            literal = ""
        parts.append(Hole(source, opening.end()))
        position = end + 1
    literal += text[position:]
    if literal:
        parts.append(Text(literal))
    return Template(tuple(parts))


def without_strings(source: str) -> str:
    """An expression in which the characters of strings and comments are blanks, for looking at its code only.

    A string that is never closed reaches to the end.
    """
    code, position = "", 0
    while token := _TOKEN.search(source, position):
        end = token.end()
        if token["quote"]:
            end = _end_or_last(source, token)
        elif token["comment"]:
            newline = source.find("\n", end)
            end = len(source) if newline < 0 else newline
        blank = " " * (end - token.start()) if token["quote"] or token["comment"] else token.group()
        code += source[position : token.start()] + blank
        position = end
    return code + source[position:]


def _end_or_last(text: str, token: re.Match[str]) -> int:
    try:
        return _end_of_string(text, token)
    except TemplateError:
        return len(text)


def _end_of_expression(text: str, opening: int) -> int:
    """The offset of the brace that closes the expression whose ``${`` stands at ``opening``."""
    depth = 0
    position = opening + 2
    while token := _TOKEN.search(text, position):
        position = token.end()
        if token["quote"]:
            position = _end_of_string(text, token)
        elif token["comment"]:
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
        elif token["brace"] == "{":
            depth += 1
        elif depth == 0:
            return token.start()
        else:
            depth -= 1
    raise TemplateError(
        problem_at(text, opening, "${ is never closed; add the missing }, or write $${ for the characters ${")
    )


def _end_of_string(text: str, token: re.Match[str]) -> int:
    """The offset after the string that begins at ``token``."""
    quote, start = token["quote"], token.end()
    raw = "r" in (token["prefix"] or "").lower()
    position = start
    while position < len(text):
        if text[position] == "\\" and not raw:
            position += 2
        elif text.startswith(quote, position):
            return position + len(quote)
        elif text[position] == "\n" and len(quote) == 1:
            break
        else:
            position += 1
    raise TemplateError(
        problem_at(text, token.start("quote"), f"the string that begins here is never closed; add the missing {quote}")
    )
