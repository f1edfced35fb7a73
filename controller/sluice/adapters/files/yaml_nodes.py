"""YAML as nodes with their places, by libyaml's parser; values are made of nodes elsewhere.

Composing nodes recurses in C, where too deep a document ends the process, so the text is looked over first.
"""

from __future__ import annotations

import re

import yaml

MAX_BYTES = 1_500_000
"""Of one file."""

MAX_BRACKETS = 1_000
"""How many brackets may be open, strings and comments counted too."""

MAX_DASHES = 100
"""How many lists may begin in one line."""

_BRACKET = re.compile(r"[\[\]{}]")
_DASHES = re.compile(rf"(?:[-?:][ \t]+){{{MAX_DASHES}}}")


class SyntaxProblem(Exception):
    """A text is no YAML that can be used. ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Loader(yaml.CSafeLoader):
    """What a scalar without quotes is, as kubectl reads it: no dates, no sexagesimal numbers; yes and no are booleans."""


_Loader.yaml_implicit_resolvers = {}


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), list(first))


_resolve("bool", "[Yy]es|YES|[Nn]o|NO|[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF", "yYnNtTfFoO")
_resolve("int", "[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+)", "-+0123456789")
_resolve(
    "float",
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    "-+0123456789.",
)
_resolve("null", "~|null|Null|NULL|", "~nN\0")
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])
_resolve("merge", "<<", "<")


def compose(text: str) -> list[yaml.Node]:
    """The root node of each document; SyntaxProblem where it is no YAML, or nests too deep to be looked at."""
    _check_nesting(text)
    try:
        loader = _Loader(text)
        nodes: list[yaml.Node] = []
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                nodes.append(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SyntaxProblem(mark.line + 1 if mark else 1, _said(error, text)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{error.character:04X} can't stand in YAML; remove it"
        raise SyntaxProblem(line, message) from error
    except yaml.YAMLError as error:
        raise SyntaxProblem(1, f"this is no YAML: {error}") from error
    except ValueError as error:
        raise SyntaxProblem(1, f"this is no YAML: {error}") from error
    return nodes


def line_of(node: yaml.Node) -> int:
    """The line where a node begins, from 1."""
    return int(node.start_mark.line) + 1


def _said(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = (error.problem or "it can't be read").strip()
    mark = error.problem_mark
    if mark and text[mark.index : mark.index + 1] == "\t":
        return "a tab indents this line; YAML takes spaces only"
    if "undefined alias" in problem:
        return f"this is no YAML: {problem}; name an anchor that stands before it"
    context = f" {error.context.strip()}" if error.context else ""
    return f"this is no YAML: {problem}{context}"


def _check_nesting(text: str) -> None:
    """Refuse what could nest deeper than C's stack holds."""
    dashes = _DASHES.search(text)
    if dashes:
        line = text.count("\n", 0, dashes.start()) + 1
        raise SyntaxProblem(line, f"more than {MAX_DASHES} lists begin in this line; make it flatter")
    opened = 0
    for bracket in _BRACKET.finditer(text):
        opened = opened + 1 if bracket.group() in "[{" else max(0, opened - 1)
        if opened > MAX_BRACKETS:
            line = text.count("\n", 0, bracket.start()) + 1
            raise SyntaxProblem(line, f"more than {MAX_BRACKETS} brackets are open here; make it flatter")
